package embedded

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/go-kivik/kivik/v4/driver"

	"junctor/pkg/document"
)

// readOptions decodes the options of one call into a struct. An option that it has no field for is a 501 that names it: to
// ignore one would be a wrong response.
func readOptions(options driver.Options, into any) error {
	given := map[string]any{}
	options.Apply(given)
	if len(given) == 0 {
		return nil
	}
	raw, err := document.Encode(given)
	if err != nil {
		return badRequest("%s", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(into); err == nil {
		return nil
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return notSupported("option " + strings.Trim(name, `"`))
	}
	return badRequest("%s", err)
}

type revisionOption struct{ Rev string }

// conflictsOption is ignored: there never are any conflicts.
type conflictsOption struct{ Conflicts bool }
