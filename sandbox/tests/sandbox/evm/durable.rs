//! What a restart finds, also after a kill.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A copy of the folder as a kill at this moment would leave it.
fn killed(folder: &Path, name: &str) -> PathBuf {
    let copy = folder.with_file_name(name);
    fs::create_dir_all(&copy).unwrap();
    fs::copy(folder.join("journal.jsonl"), copy.join("journal.jsonl")).unwrap();
    copy
}

/// A chain with a bit of everything, and its folder.
async fn busy(root: &Path) -> (Node, PathBuf) {
    let folder = root.join("evm");
    let node = open(Some(&folder), Mining::OnDemand).await.unwrap();
    let alice = funded(&node, 0x31, 8_000_000).await;
    for nonce in 0..3 {
        node.send(&Tx::transfer(nonce, stranger(1), 1_000_000).sign(&alice)).await;
    }
    node.rpc("anvil_reorg", json!([1, []])).await;
    node.clock.fetch_add(500, Ordering::Relaxed);
    node.rpc("anvil_setBalance", json!([stranger(2), "0x77"])).await;
    node.evm.pay(&text(stranger(3)), &text(stranger(4)), 6_000_000).await.unwrap();
    node.evm.set_mining(Mining::Manual).unwrap();
    node.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x5f5e100"])).await;
    node.evm.mine(3).unwrap();
    (node, folder)
}

#[tokio::test]
async fn a_kill_loses_nothing_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let (node, folder) = busy(root.path()).await;
    let wallet = LocalWallet::from_bytes(&[0x31; 32]).unwrap();
    let waiting = node.send(&Tx::transfer(2, stranger(1), 9).sign(&wallet)).await;
    let keyless = json!(node.evm.pay(&text(stranger(3)), &text(stranger(4)), 5).await.unwrap());
    let head = node.head().await;
    let log = json!([{ "fromBlock": "earliest" }]);
    let logs = node.rpc("eth_getLogs", log.clone()).await;

    let again = open(Some(&killed(&folder, "copy")), Mining::Manual).await.unwrap();
    assert_eq!(again.head().await, head);
    assert_eq!(again.rpc("eth_getLogs", log).await, logs);
    assert_eq!(again.rpc("eth_getBalance", json!([stranger(2), "latest"])).await, "0x77");
    assert_eq!(again.tokens(stranger(4)).await, 6_000_000);
    assert_eq!(again.tokens(stranger(1)).await, 2_000_000);
    for hash in [&waiting, &keyless] {
        assert_eq!(again.receipt(hash).await, Value::Null);
    }
    again.evm.mine(1).unwrap();
    for hash in [&waiting, &keyless] {
        assert_eq!(again.receipt(hash).await["status"], "0x1", "what waited still waits");
    }
    // Both go on alike: nothing but the journal decides what comes next.
    again.clock.store(node.clock.load(Ordering::Relaxed), Ordering::Relaxed);
    node.evm.mine(1).unwrap();
    assert_eq!(again.head().await["parentHash"], node.head().await["parentHash"]);
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_wherever_it_tore() {
    let root = tempfile::tempdir().unwrap();
    let (node, folder) = busy(root.path()).await;
    let whole = fs::read(folder.join("journal.jsonl")).unwrap();
    let head = node.head().await;
    node.evm.shutdown().await;
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;

    let journal = killed(&folder, "torn").join("journal.jsonl");
    let reopen = async |content: &[u8]| {
        fs::write(&journal, content).unwrap();
        let node = open(journal.parent(), Mining::Manual).await.unwrap();
        let head = node.head().await;
        node.evm.shutdown().await;
        (head, fs::read(&journal).unwrap())
    };
    assert_eq!(reopen(&whole).await, (head.clone(), whole.clone()));
    for cut in [last + 1, (last + whole.len()) / 2, whole.len() - 1] {
        let (torn, kept) = reopen(&whole[..cut]).await;
        assert_eq!(torn["hash"], head["parentHash"], "cut at {cut}");
        assert_eq!(kept, whole[..last]);
    }
    let garbage = [&whole[..], b"\0\0{\"block\n"].concat();
    assert_eq!(reopen(&garbage).await, (head, whole));
}

#[tokio::test]
async fn damage_elsewhere_is_not_hidden() {
    let root = tempfile::tempdir().unwrap();
    let (node, folder) = busy(root.path()).await;
    assert!(matches!(open(Some(&folder), Mining::Manual).await, Err(EvmError::InUse(_))));
    node.evm.shutdown().await;
    let journal = folder.join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();

    let missing = text.lines().filter(|line| !line.contains("balance")).collect::<Vec<_>>().join("\n") + "\n";
    for damaged in [text.replacen("{\"tx\"", "{\"xt\"", 1), missing] {
        fs::write(&journal, damaged).unwrap();
        let opened = open(Some(&folder), Mining::Manual).await;
        assert!(matches!(opened, Err(EvmError::Corrupt { .. })));
    }
    fs::write(&journal, text.replacen("31337", "1", 1)).unwrap();
    let opened = open(Some(&folder), Mining::Manual).await;
    assert!(matches!(opened, Err(EvmError::OtherChain { found: 1, wanted: CHAIN })));
}

#[tokio::test]
async fn a_start_cut_short_is_made_up_for() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("evm");
    open(Some(&folder), Mining::Manual).await.unwrap().evm.shutdown().await;
    let text = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for kept in 0..lines.len() {
        fs::write(folder.join("journal.jsonl"), lines[..kept].concat()).unwrap();
        let node = open(Some(&folder), Mining::Manual).await.unwrap();
        assert_eq!(node.height().await, 1);
        assert_eq!(node.tokens(stranger(1)).await, 0);
        node.evm.shutdown().await;
        let again = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
        assert!(again == text, "cut after {kept} lines");
    }
}
