# The server of `npm run serve` (docs/serving.md) in an image:
#
#     docker build -t killme .
#     docker run -p 8787:8787 -v killme-pictures:/var/cache/killme killme
#
# Options of `npm run serve` follow the name of the image.

FROM node:24.22.3-bookworm-slim AS build
WORKDIR /killme
# Installed before the sources are there, so that a change of those does not install anew.
COPY package.json package-lock.json .npmrc ./
COPY apps/edge/package.json apps/edge/
COPY apps/trainer/package.json apps/trainer/
COPY packages/client/package.json packages/client/
COPY packages/command-line/package.json packages/command-line/
COPY packages/data/package.json packages/data/
COPY packages/generator/package.json packages/generator/
COPY packages/model/package.json packages/model/
COPY test/package.json test/
RUN npm ci --workspace apps/edge
COPY . .
RUN node apps/edge/scripts/bundle.ts

FROM node:24.22.3-bookworm-slim
ENV NODE_ENV=production
WORKDIR /killme
COPY --from=build /killme/apps/edge/dist/bundle ./
RUN install -d -o node -g node /var/cache/killme
USER node
VOLUME /var/cache/killme
EXPOSE 8787
# Loading takes a second or two on an idle core.
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s \
  CMD ["node", "dist/server/serve.js", "--check"]
ENTRYPOINT ["node", "dist/server/serve.js", "--host", "0.0.0.0", "--cache", "/var/cache/killme"]
