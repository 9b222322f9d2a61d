# syntax=docker/dockerfile:1
# The image for production: `serve`, without the sandbox. docker build -t megilance .

FROM node:22-bookworm-slim AS node

FROM rust:1.95-bookworm AS chef
RUN cargo install --locked cargo-chef@0.1.78
# GraphiQL is bundled by api/build.rs.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /build

# What the dependencies are: changes only when a Cargo.toml or the lock file does.
FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

# The dependencies are a layer of their own, so that a change to our code builds our code alone.
FROM chef AS build
COPY --from=plan /build/recipe.json recipe.json
RUN cargo chef cook --locked --profile ship --no-default-features --package megilance --recipe-path recipe.json
COPY . .
ENV MEGILANCE_GRAPHIQL=require
RUN cargo build --locked --profile ship --no-default-features --package megilance

# glibc, CA certificates and nothing else: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="MegiLance" \
      org.opencontainers.image.description="A marketplace for freelance work with USDC escrow: GraphQL API and workers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/megilance/megilance" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /build/target/ship/megilance /usr/local/bin/megilance
# nonroot, by number so that Kubernetes can tell.
USER 65532:65532
# Every other setting is given at run time: .env.example lists them, `megilance doctor` checks them.
ENV LISTEN_ADDR=0.0.0.0:8080
EXPOSE 8080
# A drain may take 30 s: docker stop --time 40.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["/usr/local/bin/megilance", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/megilance"]
CMD ["serve"]
