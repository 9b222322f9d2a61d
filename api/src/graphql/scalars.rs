//! Scalars and money as the API shows them.

use async_graphql::{
    Enum, InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value,
};
use domain::{Code, Error, money::Usdc};

/// An exact decimal number, as a string such as "12.50". Numbers are refused: JSON parsers round them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(pub String);

/// An exact decimal number, as a string such as "12.50". Numbers are refused: JSON parsers round them.
#[Scalar(name = "Decimal", specified_by_url = "https://megilance.dev/scalars/decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            _ => Err(InputValueError::custom(
                "give an amount as a string such as \"12.50\"; numbers lose digits",
            )),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A whole number of any size, as a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigInt(pub i128);

/// A whole number of any size, as a string.
#[Scalar(name = "BigInt", specified_by_url = "https://megilance.dev/scalars/bigint")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => {
                text.parse().map(Self).map_err(|_| InputValueError::custom("not a whole number"))
            }
            Value::Number(number) => number
                .as_i64()
                .map(|n| Self(n.into()))
                .ok_or_else(|| InputValueError::custom("not a whole number")),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// The currencies that MegiLance knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Currency {
    /// USD Coin, with 6 decimals.
    #[graphql(name = "USDC")]
    Usdc,
}

/// An amount of money, exact.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct Money {
    /// The amount as a decimal string, such as "12.50".
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
    /// The amount in the currency's smallest unit: micro-USDC.
    pub base_units: BigInt,
}

impl From<Usdc> for Money {
    fn from(usdc: Usdc) -> Self {
        Self {
            amount: Decimal(usdc.to_decimal().to_string()),
            currency: Currency::Usdc,
            base_units: BigInt(usdc.micro().into()),
        }
    }
}

/// An amount of money to be sent in.
#[derive(Debug, Clone, InputObject)]
pub struct MoneyInput {
    /// The amount as a decimal string, with at most 6 decimals.
    pub amount: Decimal,
    /// Its currency.
    #[graphql(default_with = "Currency::Usdc")]
    pub currency: Currency,
}

impl MoneyInput {
    /// The amount; a problem with `field` when it is none.
    pub fn parse(&self, field: &str) -> domain::Result<Usdc> {
        self.amount.0.parse().map_err(|error: domain::money::MoneyError| {
            Error::rejected(&format!("{field}.amount"), Code::Invalid, format!("{error}."))
        })
    }
}
