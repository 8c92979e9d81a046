package api

import (
	"mime"
	"strings"
)

// acceptedRanges are the media ranges of Accept that get JSON: those that JSON matches, and those that Crossbar has other
// representations for. A response is never anything but JSON.
var acceptedRanges = map[string]bool{
	"*/*": true, "application/*": true, "application/json": true, "application/x-json": true,
	"application/base64": true, "application/x-base64": true, "application/octet-stream": true,
	"application/javascript": true, "text/csv": true, "text/comma-separated-values": true,
}

// acceptsJSON reports whether the client takes JSON. A setting "accept" overrides the header, and whatever it asks for
// gets JSON; so does a header that can't be parsed.
func (r *request) acceptsJSON() bool {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if header == "" || r.value("accept") != nil {
		return true
	}
	readable := false
	for _, part := range strings.Split(header, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		readable = true
		if acceptedRanges[media] && strings.Trim(params["q"], "0.") != "" || acceptedRanges[media] && params["q"] == "" {
			return true
		}
	}
	return !readable
}
