//! Rules with a number that no noun's own tests hold at their edge: money, wallets, files. Every such test, here and
//! elsewhere, is called `rule_*`, and the first line of its comment is the rule: `just rules` makes docs/RULES.md of them.

mod files;
mod money;
