//! Finding logs.

use revm::primitives::{Address, B256, Log};
use serde_json::Value;

use super::params::{BlockId, Params, block_id, text};
use super::{Fault, show};
use crate::evm::block::Block;
use crate::evm::chain::Chain;

/// The most logs in one answer; a client then asks for fewer blocks.
const MOST: usize = 10_000;

/// Which logs are wanted. An empty list lets everything pass.
#[derive(Debug, Default)]
struct Filter {
    addresses: Vec<Address>,
    /// By position: any of these.
    topics: Vec<Vec<B256>>,
}

impl Filter {
    fn parse(value: &Value) -> Result<Self, Fault> {
        let topics = match value.get("topics") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(positions)) => positions.iter().map(any_of).collect::<Result<_, _>>()?,
            Some(_) => return Err(Fault::params("topics must be a list")),
        };
        let addresses = value.get("address").map(any_of).transpose()?.unwrap_or_default();
        Ok(Self { addresses, topics })
    }

    fn matches(&self, log: &Log) -> bool {
        let topics = log.topics();
        (self.addresses.is_empty() || self.addresses.contains(&log.address))
            && self.topics.len() <= topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(wanted, topic)| wanted.is_empty() || wanted.contains(topic))
    }
}

/// A value, a list of them, or null for any.
fn any_of<T: std::str::FromStr>(value: &Value) -> Result<Vec<T>, Fault> {
    match value {
        Value::Array(values) => values.iter().filter_map(|value| text(value).transpose()).collect(),
        value => Ok(text(value)?.into_iter().collect()),
    }
}

/// The logs that a filter lets pass, oldest first.
pub(super) fn get(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let wanted = params.get(0);
    let filter = Filter::parse(wanted)?;
    let mut found = Vec::new();
    for block in range(chain, wanted)?.iter().filter(|block| !block.txs.is_empty()) {
        for (index, mined) in block.txs.iter().enumerate() {
            for (at, log) in mined.logs.iter().enumerate().filter(|(_, log)| filter.matches(log)) {
                found.push(show::log(block, mined, index, at, log));
            }
        }
        if found.len() > MOST {
            return Err(Fault::new(-32005, format!("more than {MOST} logs: ask for fewer blocks")));
        }
    }
    Ok(Value::Array(found))
}

/// The blocks to look through: one by its hash, or those between two, the latest where an end is left out.
fn range<'a>(chain: &'a Chain, wanted: &Value) -> Result<&'a [Block], Fault> {
    let field = |name| wanted.get(name).unwrap_or(&Value::Null);
    let (from, to) = match text(field("blockHash"))? {
        Some(hash) => {
            let number = chain.number_of(&hash).ok_or_else(|| Fault::server("unknown block"))?;
            (number, number)
        }
        None => (end(chain, field("fromBlock"))?, end(chain, field("toBlock"))?),
    };
    if from > to {
        return Err(Fault::params("fromBlock is above toBlock"));
    }
    let blocks = chain.blocks();
    let index = |number: u64| usize::try_from(number).map_or(blocks.len(), |index| index.min(blocks.len()));
    Ok(blocks.get(index(from)..index(to.saturating_add(1))).unwrap_or_default())
}

/// A block number, which may be above the head.
fn end(chain: &Chain, value: &Value) -> Result<u64, Fault> {
    match block_id(value)? {
        BlockId::Number(number) => Ok(number),
        // Logs of waiting transactions do not exist yet.
        BlockId::Pending => Ok(chain.head().number),
        id => id.number(chain).ok_or_else(|| Fault::server("unknown block")),
    }
}
