// A contract: its page is opened by id, its payments are paged through the Node interface, a deposit is watched.
import { graphql } from "react-relay";

export const query = graphql`
  query ContractPageQuery($id: ID!) {
    contract(id: $id) {
      ...ContractPage_contract
      ...ContractPage_payments
    }
  }
`;

export const page = graphql`
  fragment ContractPage_contract on Contract
  @refetchable(queryName: "ContractPageRefetchQuery") {
    id
    status
    amount {
      ...MoneyText_money
    }
    inEscrow {
      ...MoneyText_money
    }
    freelancer {
      ...PersonCard_user
    }
    milestones {
      id
      ...ContractPage_milestone
    }
  }
`;

export const milestone = graphql`
  fragment ContractPage_milestone on Milestone {
    title
    status
    position
    autoReleaseAt
    amount {
      ...MoneyText_money
    }
  }
`;

export const payments = graphql`
  fragment ContractPage_payments on Contract
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "ContractPagePaymentsPaginationQuery") {
    payments(first: $count, after: $cursor) @connection(key: "ContractPage_payments") {
      edges {
        node {
          ...ContractPage_payment
        }
      }
    }
  }
`;

export const payment = graphql`
  fragment ContractPage_payment on Payment {
    kind
    status
    confirmations
    requiredConfirmations
    depositAddress
    paymentUri
    amount {
      ...MoneyText_money
    }
    transfers {
      transactionHash
      blockNumber
      amount {
        baseUnits
      }
    }
  }
`;

export const fund = graphql`
  mutation ContractPageFundMutation($input: MilestoneFundInput!, $connections: [ID!]!) {
    milestoneFund(input: $input) {
      milestone {
        ...ContractPage_milestone
      }
      payment @prependNode(connections: $connections, edgeTypeName: "PaymentEdge") {
        ...ContractPage_payment
      }
      userErrors {
        code
        message
      }
    }
  }
`;

export const watch = graphql`
  subscription ContractPagePaymentSubscription($id: ID!) {
    paymentUpdated(paymentId: $id) {
      id
      ...ContractPage_payment
    }
  }
`;
