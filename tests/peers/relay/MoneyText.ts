// An amount.
import { graphql } from "react-relay";

export const money = graphql`
  fragment MoneyText_money on Money {
    amount
    currency
  }
`;
