// A freelancer's portfolio: an item that is deleted leaves every list by its id.
import { graphql } from "react-relay";

export const portfolio = graphql`
  fragment Portfolio_user on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "PortfolioPaginationQuery") {
    portfolio(first: $count, after: $cursor) @connection(key: "Portfolio_portfolio") {
      edges {
        node {
          title
          images {
            smallUrl
          }
        }
      }
    }
  }
`;

export const drop = graphql`
  mutation PortfolioDropMutation($input: PortfolioItemDeleteInput!, $connections: [ID!]!) {
    portfolioItemDelete(input: $input) {
      portfolioItemId @deleteEdge(connections: $connections) @deleteRecord
      userErrors {
        code
        message
      }
    }
  }
`;
