# The images of Typemetal; `npm run image` makes the same without Docker. One stage each for controller, speaker and speaker-nonroot:
#   docker build --target speaker --build-arg REVISION="$(git rev-parse HEAD)" --tag typemetal/speaker .
FROM node:24-bookworm AS build
RUN apt-get update \
  && apt-get install --yes --no-install-recommends binutils libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN npm ci --no-audit --no-fund && npm run build && node packages/sockets/scripts/build-addon.mjs
# Times inside the image; by default nothing depends on when it is built.
ARG SOURCE_DATE_EPOCH=0
RUN node scripts/image.mjs --rootfs /image && node scripts/image.mjs --rootfs /image-nonroot --variant nonroot

FROM scratch AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.version=$VERSION \
  org.opencontainers.image.revision=$REVISION \
  org.opencontainers.image.vendor=Typemetal \
  org.opencontainers.image.licenses=Apache-2.0 \
  org.opencontainers.image.source=https://github.com/typemetal/typemetal
ENV PATH=/:/usr/bin NODE_ENV=production MALLOC_ARENA_MAX=1
WORKDIR /
STOPSIGNAL SIGTERM

FROM base AS controller
LABEL org.opencontainers.image.title=typemetal-controller
COPY --from=build /image /
USER 65534:65534
ENTRYPOINT ["/controller"]

# Layer 2 for who is not root: needs NET_RAW in the bounding set and allowPrivilegeEscalation.
FROM base AS speaker-nonroot
LABEL org.opencontainers.image.title=typemetal-speaker
COPY --from=build /image-nonroot /
USER 1000:1000
ENTRYPOINT ["/speaker"]

FROM base AS speaker
LABEL org.opencontainers.image.title=typemetal-speaker
COPY --from=build /image /
USER 0:0
ENTRYPOINT ["/speaker"]
