//! Pages of lists below lists: one statement for all parents of a level, and one more when their counts are
//! asked for.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_graphql::dataloader::Loader;
use domain::{
    App, Error,
    page::{Below, Page, PageRequest},
};
use sea_orm::{EntityTrait, ModelTrait};
use uuid::Uuid;

use super::Rows;

/// What is wanted of a list below a parent: `W` is its page, or its [`Count`].
pub struct Asked<E: EntityTrait, W> {
    list: Arc<Below<E>>,
    /// The list's statement with the actor's own scope in it. Only equal statements are read together.
    identity: Arc<str>,
    parent: Uuid,
    want: W,
}

/// The whole list's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Count;

impl<E> Asked<E, PageRequest>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Sync,
{
    /// A page of a list below a parent.
    pub fn page(app: &App, list: Below<E>, parent: Uuid, want: PageRequest) -> Self {
        let identity = list.identity(app.db.backend()).into();
        Self { list: Arc::new(list), identity, parent, want }
    }

    /// The count that goes with it.
    pub fn count(&self) -> Asked<E, Count> {
        Asked { list: self.list.clone(), identity: self.identity.clone(), parent: self.parent, want: Count }
    }
}

impl<E: EntityTrait, W: Clone> Clone for Asked<E, W> {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            identity: self.identity.clone(),
            parent: self.parent,
            want: self.want.clone(),
        }
    }
}

impl<E: EntityTrait, W: PartialEq> PartialEq for Asked<E, W> {
    fn eq(&self, other: &Self) -> bool {
        (self.parent, &self.want) == (other.parent, &other.want) && self.identity == other.identity
    }
}

impl<E: EntityTrait, W: Eq> Eq for Asked<E, W> {}

impl<E: EntityTrait, W: Hash> Hash for Asked<E, W> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.identity, self.parent, &self.want).hash(state);
    }
}

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

impl<E> Loader<Asked<E, PageRequest>> for Rows
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    type Value = Page<E::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Asked<E, PageRequest>]) -> Loaded<Asked<E, PageRequest>, Self::Value> {
        let mut loaded = HashMap::new();
        for (list, group) in together(keys) {
            let parents: Vec<Uuid> = group.iter().map(|key| key.parent).collect();
            let mut pages = list.list.pages(self.app.db.reader(), &parents, &list.want).await?;
            loaded
                .extend(group.into_iter().filter_map(|key| Some((key.clone(), pages.remove(&key.parent)?))));
        }
        Ok(loaded)
    }
}

impl<E> Loader<Asked<E, Count>> for Rows
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    type Value = u64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Asked<E, Count>]) -> Loaded<Asked<E, Count>, u64> {
        let mut loaded = HashMap::new();
        for (list, group) in together(keys) {
            let parents: Vec<Uuid> = group.iter().map(|key| key.parent).collect();
            let counts = list.list.counts(self.app.db.reader(), &parents).await?;
            loaded.extend(group.into_iter().filter_map(|key| Some((key.clone(), *counts.get(&key.parent)?))));
        }
        Ok(loaded)
    }
}

/// The keys by what can be read together, each group under one of its own.
fn together<E: EntityTrait, W: Eq + Hash>(
    keys: &[Asked<E, W>],
) -> impl Iterator<Item = (&Asked<E, W>, Vec<&Asked<E, W>>)> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for key in keys {
        groups.entry((&key.identity, &key.want)).or_default().push(key);
    }
    groups.into_values().filter_map(|group| Some((*group.first()?, group)))
}
