//! Reading the parameters of a request.

use std::str::FromStr;

use revm::primitives::{Address, B256, Bytes, U256};
use serde_json::Value;

use super::Fault;
use crate::evm::block::Block;
use crate::evm::chain::Chain;

/// The positional parameters of a request.
#[derive(Debug)]
pub(super) struct Params(Vec<Value>);

/// Which block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockId {
    Number(u64),
    Hash(B256),
    Latest,
    Pending,
    Safe,
    Finalized,
    Earliest,
}

impl Params {
    pub(super) fn new(params: Option<Value>) -> Result<Self, Fault> {
        match params {
            None | Some(Value::Null) => Ok(Self(Vec::new())),
            Some(Value::Array(list)) => Ok(Self(list)),
            Some(_) => Err(Fault::params("params must be a list")),
        }
    }

    /// The parameter at `index`; null where it was left out.
    pub(super) fn get(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::Null)
    }

    pub(super) fn address(&self, index: usize) -> Result<Address, Fault> {
        required(text(self.get(index))?, index)
    }

    pub(super) fn hash(&self, index: usize) -> Result<B256, Fault> {
        required(text(self.get(index))?, index)
    }

    pub(super) fn bytes(&self, index: usize) -> Result<Bytes, Fault> {
        required(text(self.get(index))?, index)
    }

    pub(super) fn quantity(&self, index: usize) -> Result<U256, Fault> {
        required(number(self.get(index))?, index)
    }

    /// The block meant at `index`; the latest where it was left out.
    pub(super) fn block(&self, index: usize) -> Result<BlockId, Fault> {
        block_id(self.get(index))
    }
}

fn required<T>(value: Option<T>, index: usize) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::params(format!("parameter {index} is missing")))
}

/// A value in its usual text, `None` for null.
pub(super) fn text<T: FromStr>(value: &Value) -> Result<Option<T>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => match text.parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_) => Err(Fault::params(format!("{text:?} does not parse"))),
        },
        other => Err(Fault::params(format!("{other} must be a string"))),
    }
}

/// A number as `0x` text, or, since controls are often called by hand, as a JSON number. `None` for null.
pub(super) fn number(value: &Value) -> Result<Option<U256>, Fault> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(number) => Ok(Some(U256::from(number))),
            None => Err(Fault::params(format!("{number} is not a whole number"))),
        },
        other => text(other),
    }
}

/// A number that must fit 64 bits.
pub(super) fn small(value: &Value) -> Result<Option<u64>, Fault> {
    let Some(number) = number(value)? else { return Ok(None) };
    match u64::try_from(number) {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Fault::params(format!("{number} is too large"))),
    }
}

/// A tag, a number, or an EIP-1898 object.
pub(super) fn block_id(value: &Value) -> Result<BlockId, Fault> {
    Ok(match value {
        Value::Null => BlockId::Latest,
        Value::String(tag) => match tag.as_str() {
            "latest" => BlockId::Latest,
            "pending" => BlockId::Pending,
            "safe" => BlockId::Safe,
            "finalized" => BlockId::Finalized,
            "earliest" => BlockId::Earliest,
            hash if hash.len() == 66 => text(value)?.map_or(BlockId::Latest, BlockId::Hash),
            _ => small(value)?.map_or(BlockId::Latest, BlockId::Number),
        },
        Value::Object(object) => {
            let field = |name| object.get(name).unwrap_or(&Value::Null);
            match text(field("blockHash"))? {
                Some(hash) => BlockId::Hash(hash),
                None => block_id(field("blockNumber"))?,
            }
        }
        _ => return Err(Fault::params("not a block")),
    })
}

impl BlockId {
    /// The number of a block that exists; `None` for the pending one too.
    pub(super) fn number(self, chain: &Chain) -> Option<u64> {
        let head = chain.head().number;
        match self {
            Self::Number(number) => (number <= head).then_some(number),
            Self::Hash(hash) => chain.number_of(&hash),
            Self::Latest => Some(head),
            Self::Safe => Some(head.saturating_sub(1)),
            Self::Finalized => Some(head.saturating_sub(2)),
            Self::Earliest => Some(0),
            Self::Pending => None,
        }
    }

    pub(super) fn block(self, chain: &Chain) -> Option<&Block> {
        chain.block(self.number(chain)?)
    }
}
