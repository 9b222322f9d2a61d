// What others say of a person, a page at a time, and a new review put in front.
import { graphql } from "react-relay";

export const reviews = graphql`
  fragment Reviews_user on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" })
  @refetchable(queryName: "ReviewsPaginationQuery") {
    rating
    reviewCount
    reviews(first: $count, after: $cursor) @connection(key: "Reviews_reviews") {
      edges {
        node {
          ...Reviews_review
        }
      }
    }
  }
`;

export const review = graphql`
  fragment Reviews_review on Review {
    rating
    comment
    answer
    shownAt
    author {
      ...PersonCard_user
    }
  }
`;

export const write = graphql`
  mutation ReviewsWriteMutation($input: ReviewCreateInput!, $connections: [ID!]!) {
    reviewCreate(input: $input) {
      review @prependNode(connections: $connections, edgeTypeName: "ReviewEdge") {
        ...Reviews_review
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;
