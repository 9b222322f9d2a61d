//! The accounts and their storage at the head of the chain, and how to see or restore what they were some
//! blocks ago.
//!
//! Each block keeps the values that it overwrote. That serves reorganisations (put them back) and questions
//! about the past (look through them) without a copy of the whole state for each block.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;

use revm::DatabaseRef;
use revm::database::{AccountState, CacheDB};
use revm::primitives::{Address, AddressMap, B256, B256Map, KECCAK_EMPTY, StorageKey, U256};
use revm::state::{AccountInfo, Bytecode};

use super::block::Block;

/// Everything that contracts and wallets own, at the head of the chain.
#[derive(Debug, Default)]
pub(super) struct State {
    accounts: AddressMap<AccountInfo>,
    storage: HashMap<(Address, StorageKey), U256>,
    code: B256Map<Bytecode>,
}

/// New values for some of the state. Applying one gives the `Changes` that undo it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    accounts: AddressMap<Option<AccountInfo>>,
    storage: HashMap<(Address, StorageKey), U256>,
    code: B256Map<Bytecode>,
}

impl State {
    /// The account, or `None` where nothing was ever done.
    pub(super) fn account(&self, address: &Address) -> Option<&AccountInfo> {
        self.accounts.get(address)
    }

    /// Writes the changes and returns the values they overwrote. Code is content-addressed and stays.
    pub(super) fn apply(&mut self, changes: Changes) -> Changes {
        let mut undo = Changes::default();
        for (address, info) in changes.accounts {
            let before = match info {
                Some(info) => self.accounts.insert(address, info),
                None => self.accounts.remove(&address),
            };
            undo.accounts.insert(address, before);
        }
        for (slot, value) in changes.storage {
            let before =
                if value.is_zero() { self.storage.remove(&slot) } else { self.storage.insert(slot, value) };
            undo.storage.insert(slot, before.unwrap_or_default());
        }
        self.code.extend(changes.code);
        undo
    }

    /// The changes that give `address` this balance, in wei.
    pub(super) fn balance_change(&self, address: Address, wei: U256) -> Changes {
        let mut info = self.accounts.get(&address).cloned().unwrap_or_else(codeless);
        info.balance = wei;
        let mut changes = Changes::default();
        changes.accounts.insert(address, Some(info));
        changes
    }
}

impl Changes {
    /// Adds an older undo step for the same block: what is recorded already came first, so it wins.
    pub(super) fn keep_first(&mut self, later: Self) {
        for (address, info) in later.accounts {
            self.accounts.entry(address).or_insert(info);
        }
        for (slot, value) in later.storage {
            self.storage.entry(slot).or_insert(value);
        }
    }

    /// What executing on top of a view left different from it.
    pub(super) fn between(overlay: CacheDB<View<'_>>) -> Self {
        let CacheDB { cache, db: view } = overlay;
        let mut changes = Self::default();
        for (address, account) in cache.accounts {
            let info = match account.account_state {
                AccountState::NotExisting => None,
                // An account that holds nothing does not exist (EIP-161).
                _ if account.info.is_empty() => None,
                _ => Some(AccountInfo { code: None, account_id: None, ..account.info }),
            };
            if matches!(account.account_state, AccountState::NotExisting | AccountState::StorageCleared) {
                for slot in view.slots(address) {
                    changes.storage.insert(slot, U256::ZERO);
                }
            }
            for (key, value) in account.storage {
                if value == view.slot(address, key) {
                    changes.storage.remove(&(address, key));
                } else {
                    changes.storage.insert((address, key), value);
                }
            }
            if info.as_ref() != view.account(&address) {
                changes.accounts.insert(address, info);
            }
        }
        for (hash, code) in cache.contracts {
            if !code.is_empty() && !view.state.code.contains_key(&hash) {
                changes.code.insert(hash, code);
            }
        }
        changes
    }
}

/// The state as it was after some block: the head's, seen through the undo steps of every later block.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    /// Undo steps, oldest first; those from `skip` on belong to later blocks.
    pub(super) undo: &'a VecDeque<Changes>,
    pub(super) skip: usize,
    /// For the BLOCKHASH instruction.
    pub(super) blocks: &'a [Block],
}

impl<'a> View<'a> {
    pub(super) fn account(&self, address: &Address) -> Option<&'a AccountInfo> {
        self.undo
            .range(self.skip..)
            .find_map(|step| step.accounts.get(address))
            .map_or_else(|| self.state.accounts.get(address), Option::as_ref)
    }

    pub(super) fn slot(&self, address: Address, key: StorageKey) -> U256 {
        let slot = (address, key);
        self.undo
            .range(self.skip..)
            .find_map(|step| step.storage.get(&slot))
            .or_else(|| self.state.storage.get(&slot))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn code(&self, address: &Address) -> Option<&'a Bytecode> {
        self.state.code.get(&self.account(address)?.code_hash)
    }

    /// The known storage slots of one account. A scan: needed only when a contract is created where storage
    /// was, which is next to never.
    fn slots(&self, address: Address) -> Vec<(Address, StorageKey)> {
        if self.account(&address).is_none_or(|info| info.code_hash == KECCAK_EMPTY) {
            return Vec::new();
        }
        self.state.storage.keys().filter(|slot| slot.0 == address).copied().collect()
    }
}

impl DatabaseRef for View<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.account(&address).cloned())
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.code.get(&hash).cloned().unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, key: StorageKey) -> Result<U256, Infallible> {
        Ok(self.slot(address, key))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        let block = usize::try_from(number).ok().and_then(|index| self.blocks.get(index));
        Ok(block.map(|block| block.hash).unwrap_or_default())
    }
}

/// An account without code. `AccountInfo::default()` carries empty bytecode, which would make equal accounts
/// differ.
fn codeless() -> AccountInfo {
    AccountInfo { code: None, ..AccountInfo::default() }
}
