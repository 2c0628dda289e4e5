# syntax=docker/dockerfile:1
# amd64 or arm64 (docker buildx build --platform linux/arm64 .); WeCom gives its archive library for both, take the right one.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Text in pictures and in PDF files: docker build --build-arg FEATURES=ocr,pdf .
ARG FEATURES=
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --features "$FEATURES" && cp target/release/qunguan /usr/local/bin/qunguan

# A glibc system with a shell: WeCom's archive library is a glibc shared object that wants OpenSSL 3.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 tini \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /qunguan/config /qunguan/data && chown -R 10001:10001 /qunguan
COPY --from=build /usr/local/bin/qunguan /usr/local/bin/qunguan
WORKDIR /qunguan
USER 10001:10001
# Mount config as a folder, not as single files: a mounted file does not see that an editor replaced it.
VOLUME /qunguan/data
# Inside the container it has to listen for what comes from outside; the settings say it for a machine.
ENV QUNGUAN_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["qunguan", "healthcheck"]
ENTRYPOINT ["/usr/bin/tini", "--", "qunguan"]
CMD ["run"]
