# Carillon as the npm package ships it: emitted JavaScript and its production dependencies, nothing else.
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY tools tools
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY console console
RUN npm run build
# Taken afresh, so that nothing of the development dependencies stays behind.
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:26-slim
WORKDIR /app
# As npm installs the package into a project, so that `npx carillon` runs it.
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist node_modules/carillon/dist
COPY bin node_modules/carillon/bin
COPY package.json LICENSE NOTICE node_modules/carillon/
# All that a server writes is in /data. The image itself may be read-only.
RUN mkdir -p node_modules/.bin /data /functions && \
    ln -s ../carillon/bin/carillon.js node_modules/.bin/carillon && \
    ln -s /app/node_modules/carillon/bin/carillon.js /usr/local/bin/carillon && \
    chown node:node /data
# npm would ask its registry whether there is a newer npm.
ENV NODE_ENV=production \
    NPM_CONFIG_UPDATE_NOTIFIER=false \
    CARILLON_DATA_DIR=/data \
    CARILLON_FUNCTIONS=/functions \
    CARILLON_HOST=0.0.0.0 \
    CARILLON_ADMIN_PORT=8081
USER node
VOLUME /data
# API calls, messaging sessions over TLS. Health and metrics are on 8081 of 127.0.0.1.
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["carillon", "healthcheck"]
ENTRYPOINT ["carillon"]
CMD ["serve"]
