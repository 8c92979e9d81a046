package api

import (
	"testing"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
)

// FuzzEncode: addresses and listings are encoded as package document does it.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{"", "plain", `"quoted\`, "<&>", "\x00\x1f\x7f", "ä日\u2028", "\xff\xfe", `","x":"`} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		address := dedicatedip.Address{ID: a, IP: b, Zone: a, Host: b, Status: a, Type: b, AssignedTo: a, Revision: b}
		want, err := document.Encode(address)
		if err != nil || string(encodeAddress(address)) != string(want) {
			t.Errorf("%s\nwant %s, %v", encodeAddress(address), want, err)
		}
		items := []dedicatedip.Item{{IP: a, Zone: b, AssignedTo: a}, {IP: b}, {IP: a, AssignedTo: b}, {IP: b, Zone: a}}
		if want, err = document.Encode(items); err != nil || string(encodeItems(items)) != string(want) {
			t.Errorf("%s\nwant %s, %v", encodeItems(items), want, err)
		}
	})
}
