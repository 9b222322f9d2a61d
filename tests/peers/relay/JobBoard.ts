// The job board: filters as arguments, pages both ways, a part of it fetched again with other filters.
import { graphql } from "react-relay";

export const query = graphql`
  query JobBoardQuery($filter: ProjectFilter, $orderBy: ProjectOrder, $first: Int, $last: Int, $after: String, $before: String) {
    ...JobBoard_query
      @arguments(filter: $filter, orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before)
    categories {
      id
      name
    }
  }
`;

export const board = graphql`
  fragment JobBoard_query on Query
  @argumentDefinitions(
    filter: { type: "ProjectFilter" }
    orderBy: { type: "ProjectOrder" }
    first: { type: "Int" }
    last: { type: "Int" }
    after: { type: "String" }
    before: { type: "String" }
  )
  @refetchable(queryName: "JobBoardPaginationQuery") {
    projects(filter: $filter, orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before)
      @connection(key: "JobBoard_projects", filters: ["filter", "orderBy"]) {
      edges {
        cursor
        node {
          ...ProjectRow_project
        }
      }
      pageInfo {
        startCursor
        endCursor
        hasNextPage
        hasPreviousPage
      }
    }
  }
`;
