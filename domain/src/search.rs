//! Searching text by a piece of it, alike on both databases.

use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait, Func, LikeExpr},
};

/// One of the columns contains the piece, whatever its case. `%` and `_` mean themselves.
pub fn any_contains<C: ColumnTrait>(columns: impl IntoIterator<Item = C>, piece: &str) -> Condition {
    let pattern = pattern(piece);
    columns.into_iter().fold(Condition::any(), |any, column| {
        let lower = Func::lower(Expr::col((column.entity_name(), column)));
        any.add(Expr::expr(lower).like(LikeExpr::new(pattern.clone()).escape('\\')))
    })
}

fn pattern(piece: &str) -> String {
    let mut pattern = String::from("%");
    for c in piece.trim().to_lowercase().chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_mean_themselves() {
        assert_eq!(pattern(" 100%_Rust\\ "), r"%100\%\_rust\\%");
        assert_eq!(pattern("a\0b"), "%ab%");
    }
}
