//! Payment links after EIP-681: what a wallet opens or scans to prefill a transfer.

use entities::Usdc;

use super::Address;

/// A link that asks a wallet to send `amount` of the token `usdc` to `treasury` on the chain `chain_id`.
pub fn payment_uri(chain_id: u64, usdc: Address, treasury: Address, amount: Usdc) -> String {
    format!(
        "ethereum:{}@{chain_id}/transfer?address={}&uint256={}",
        usdc.checksummed(),
        treasury.checksummed(),
        amount.micro()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_names_token_chain_receiver_and_micro_amount() {
        let link = payment_uri(8453, Address([0x11; 20]), Address([0x22; 20]), Usdc(12_500_000));
        let (token, treasury) = ("11".repeat(20), "22".repeat(20));
        assert_eq!(link, format!("ethereum:0x{token}@8453/transfer?address=0x{treasury}&uint256=12500000"));
    }
}
