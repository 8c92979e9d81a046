# A static binary on a small base, run by a user without rights.

FROM node:22-alpine AS console
WORKDIR /src/pkg/console/web
COPY pkg/console/web/package.json pkg/console/web/package-lock.json pkg/console/web/.npmrc ./
RUN npm ci --ignore-scripts
COPY pkg/console/web .
RUN npm run build

FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY pkg pkg
COPY --from=console /src/pkg/console/dist pkg/console/dist
COPY schemas schemas
COPY couchdb-views couchdb-views
ARG VERSION=dev
ARG COMMIT
ARG DATE
RUN CGO_ENABLED=0 go build -trimpath \
    -ldflags "-s -w -X main.built=${VERSION} -X main.commit=${COMMIT} -X main.date=${DATE}" -o /junctor ./cmd/junctor

FROM alpine:3.22
RUN adduser -D -H -u 8000 junctor && install -d -o junctor -g junctor -m 700 /var/lib/junctor
COPY --from=build /junctor /usr/local/bin/junctor
RUN ln -s junctor /usr/local/bin/sup
USER junctor
# A container has a loopback interface of its own: who may connect is decided where the port is published.
ENV JUNCTOR_LISTEN=0.0.0.0:8000 JUNCTOR_STORE=/var/lib/junctor JUNCTOR_STATE_DIR=/var/lib/junctor
VOLUME /var/lib/junctor
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s \
    CMD wget -q -O /dev/null http://127.0.0.1:8000/readyz
ENTRYPOINT ["junctor"]
CMD ["serve"]
