package api

import (
	"bytes"
	_ "embed"
	"net/http"
	"time"

	"junctor/pkg/document"
)

// openAPI describes the interface, as OpenAPI 3.1. The tests of the package hold that it says what is served.
//
//go:embed openapi.yaml
var openAPI []byte

// describe handles GET /openapi.yaml. Any page may read it, so that viewers of other origins can.
func describe(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("Cache-Control", "no-cache")
	h.Set("Etag", `"`+document.MD5(openAPI)+`"`)
	h.Set("Access-Control-Allow-Origin", "*")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(openAPI))
}
