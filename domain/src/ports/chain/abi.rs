//! The part of USDC's interface that we call, and the bytes that go over the wire for it.

use entities::Usdc;
use ethers_contract::EthEvent as _;
use ethers_core::{
    abi::{self, AbiDecode as _, AbiEncode, ParamType, RawLog, Token},
    types::{Bytes, H256, Log, U256},
};

use super::{Address, BlockHash, Transfer, TxHash, types::usdc_from_chain};

pub(super) use contract::{BalanceOfCall, DecimalsCall, IsBlacklistedCall, PausedCall, TransferCall};

mod contract {
    ethers_contract::abigen!(
        FiatToken,
        r#"[
            event Transfer(address indexed from, address indexed to, uint256 value)
            function transfer(address to, uint256 value) external returns (bool)
            function balanceOf(address account) external view returns (uint256)
            function decimals() external view returns (uint8)
            function paused() external view returns (bool)
            function isBlacklisted(address account) external view returns (bool)
        ]"#
    );
}

/// The four bytes before an `Error(string)`, Solidity's usual reason of a revert.
const ERROR_STRING: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];

/// The data of a call.
pub(super) fn call_data(call: impl AbiEncode) -> Bytes {
    call.encode().into()
}

/// A `bool` that a call returned. Empty data is `None`: the contract has no such function and a fallback that
/// does not mind.
pub(super) fn read_bool(data: &[u8]) -> Result<Option<bool>, abi::AbiError> {
    if data.is_empty() { Ok(None) } else { bool::decode(data).map(Some) }
}

/// A number that a call returned.
pub(super) fn read_number(data: &[u8]) -> Result<U256, abi::AbiError> {
    U256::decode(data)
}

/// The topic of `Transfer`.
pub(super) fn transfer_topic() -> H256 {
    contract::TransferFilter::signature()
}

/// The transfer in a log; `None` when the log is another contract's, another event, undone by a reorg, or not in
/// a block yet.
pub(super) fn read_transfer(log: Log, usdc: Address) -> Option<Transfer> {
    if log.address != usdc.to_ethers() || log.removed == Some(true) {
        return None;
    }
    let block_hash = BlockHash(log.block_hash?.0);
    let block_number = log.block_number?.as_u64();
    let transaction_hash = TxHash(log.transaction_hash?.0);
    let log_index = u64::try_from(log.log_index?).ok()?;
    let raw = RawLog { topics: log.topics, data: log.data.to_vec() };
    let event = contract::TransferFilter::decode_log(&raw).ok()?;
    Some(Transfer {
        transaction_hash,
        log_index,
        from: Address::from_ethers(event.from),
        to: Address::from_ethers(event.to),
        amount: usdc_from_chain(event.value),
        block_number,
        block_hash,
    })
}

/// The words in the data of a revert, where there are any.
pub(super) fn revert_reason(data: &[u8]) -> Option<String> {
    let words = data.strip_prefix(&ERROR_STRING)?;
    match abi::decode(&[ParamType::String], words).ok()?.pop()? {
        Token::String(reason) => Some(reason),
        _ => None,
    }
}

/// The data of `transfer(to, amount)`; `None` when the amount is negative.
pub(super) fn transfer_data(to: Address, amount: Usdc) -> Option<Bytes> {
    let value = super::types::usdc_to_chain(amount)?;
    Some(call_data(TransferCall { to: to.to_ethers(), value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USDC: Address = Address([0xaa; 20]);

    fn transfer_log() -> Log {
        Log {
            address: USDC.to_ethers(),
            topics: vec![transfer_topic(), Address([1; 20]).to_topic(), Address([2; 20]).to_topic()],
            data: U256::from(7).encode().into(),
            block_hash: Some(H256([3; 32])),
            block_number: Some(9.into()),
            transaction_hash: Some(H256([4; 32])),
            log_index: Some(5.into()),
            ..Log::default()
        }
    }

    #[test]
    fn selectors_and_topic_are_those_of_erc_20() {
        let data = transfer_data(Address([0x11; 20]), Usdc(1)).unwrap();
        assert_eq!(hex::encode(&data[..4]), "a9059cbb");
        assert_eq!(data.len(), 68);
        assert_eq!(hex::encode(&call_data(BalanceOfCall { account: USDC.to_ethers() })[..4]), "70a08231");
        assert_eq!(hex::encode(call_data(PausedCall)), "5c975abb");
        assert_eq!(hex::encode(&call_data(IsBlacklistedCall { account: USDC.to_ethers() })[..4]), "fe575a87");
        assert_eq!(hex::encode(call_data(DecimalsCall)), "313ce567");
        let topic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
        assert_eq!(hex::encode(transfer_topic()), topic);
    }

    #[test]
    fn a_transfer_is_read_whole() {
        let transfer = read_transfer(transfer_log(), USDC).unwrap();
        assert_eq!((transfer.from, transfer.to), (Address([1; 20]), Address([2; 20])));
        assert_eq!((transfer.amount, transfer.block_number, transfer.log_index), (Some(Usdc(7)), 9, 5));
        assert_eq!(transfer.block_hash, BlockHash([3; 32]));
        assert_eq!(transfer.transaction_hash, TxHash([4; 32]));
    }

    #[test]
    fn foreign_removed_pending_and_other_logs_are_no_transfers() {
        let foreign = Log { address: Address([0xbb; 20]).to_ethers(), ..transfer_log() };
        let removed = Log { removed: Some(true), ..transfer_log() };
        let pending = Log { block_hash: None, ..transfer_log() };
        let mut approval = transfer_log();
        approval.topics[0] = H256([9; 32]);
        let mut erc_721 = transfer_log();
        erc_721.topics.push(H256::zero());
        erc_721.data = Bytes::new();
        for log in [foreign, removed, pending, approval, erc_721] {
            assert_eq!(read_transfer(log.clone(), USDC), None, "{log:?}");
        }
        let huge = Log { data: U256::MAX.encode().into(), ..transfer_log() };
        assert_eq!(read_transfer(huge, USDC).unwrap().amount, None);
    }

    #[test]
    fn a_revert_says_why() {
        let data = [ERROR_STRING.to_vec(), "Pausable: paused".to_owned().encode()].concat();
        assert_eq!(revert_reason(&data).as_deref(), Some("Pausable: paused"));
        assert_eq!(revert_reason(&[]), None);
        assert_eq!(revert_reason(&ERROR_STRING), None);
    }

    #[test]
    fn a_missing_function_is_not_a_bool() {
        assert_eq!(read_bool(&[]).unwrap(), None);
        assert_eq!(read_bool(&true.encode()).unwrap(), Some(true));
        assert!(read_bool(&[1, 2, 3]).is_err());
    }
}
