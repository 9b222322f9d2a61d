// A client's projects as Relay pages them: a connection in a refetchable fragment, and a new one put in front.
import { graphql } from "react-relay";

export const query = graphql`
  query ProjectListQuery($count: Int!) {
    viewer {
      ...ProjectList_user @arguments(count: $count)
    }
  }
`;

export const list = graphql`
  fragment ProjectList_user on User
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" })
  @refetchable(queryName: "ProjectListPaginationQuery") {
    projects(first: $count, after: $cursor) @connection(key: "ProjectList_projects") {
      __id
      totalCount
      edges {
        node {
          id
          ...ProjectRow_project
        }
      }
    }
  }
`;

export const post = graphql`
  mutation ProjectListPostMutation($input: ProjectCreateInput!, $connections: [ID!]!) {
    projectCreate(input: $input) {
      project @prependNode(connections: $connections, edgeTypeName: "ProjectEdge") {
        id
        ...ProjectRow_project
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;
