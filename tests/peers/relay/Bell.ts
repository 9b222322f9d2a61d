// What somebody was told; its subject is a Node of any kind.
import { graphql } from "react-relay";

export const bell = graphql`
  fragment Bell_user on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "BellPaginationQuery") {
    unreadNotificationCount
    notifications(first: $count, after: $cursor, unreadOnly: false) @connection(key: "Bell_notifications", filters: []) {
      edges {
        node {
          title
          readAt
          subject {
            __typename
            ...ContractPage_contract @alias(as: "contract")
            ... on Payment {
              kind
            }
          }
        }
      }
    }
  }
`;

export const rings = graphql`
  subscription BellRingsSubscription($connections: [ID!]!) {
    notificationReceived @prependNode(connections: $connections, edgeTypeName: "NotificationEdge") {
      title
      priority
    }
  }
`;
