package remote

import (
	"net/http"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/auth/trust"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/httpclient"
)

const clusterID = "c6859db6813a0a4507b07b3491e1d9e6"

var someCluster = trust.Cluster{ID: clusterID, URL: "https://a.example/v2"}

// FuzzResponse: no response accepts a token that does not say so.
func FuzzResponse(f *testing.F) {
	const yes = `{"status":"success","data":{"account_id":"0766c6d3a0cf0a0f293e7c8cf0bdcab5","cluster_id":"` +
		clusterID + `","is_master_account":true}}`
	for _, body := range []string{yes, "", "{}", "null", "[]", yes + yes, `{"status":"success","data":{}}`,
		`{"status":"success","data":{"account_id":"0766c6d3a0cf0a0f293e7c8cf0bdcab5","cluster_id":"other"}}`,
		`{"data":{"account":{"expired":{"cause":1}}}}`} {
		for _, status := range []int{200, 201, 302, 400, 401, 403, 500, 503} {
			f.Add(status, "application/json", []byte(body))
		}
	}
	f.Add(200, "application/json; charset=utf-8", []byte(yes))
	f.Add(200, "text/html", []byte(yes))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		r := httpclient.Response{Status: status, ContentType: contentType, Body: body}
		identity, err := question{someCluster, "a"}.interpret(r)
		if (identity == nil) == (err == nil) {
			t.Fatalf("%+v, %v", identity, err)
		}
		if err != nil {
			checkKind(t, err)
			return
		}
		envelope, err := document.Decode(body)
		if err != nil || status != http.StatusOK || envelope["status"] != "success" {
			t.Fatalf("%d %s is a yes", status, body)
		}
		checkIdentity(t, identity, envelope)
	})
}

func checkKind(t *testing.T, err error) {
	t.Helper()
	switch kind := fault.KindOf(err); kind {
	case fault.Unauthenticated, fault.Forbidden, fault.Invalid, fault.ClusterUnreachable:
	default:
		t.Errorf("a refusal of kind %v", kind)
	}
}

func checkIdentity(t *testing.T, identity *auth.Identity, envelope document.Document) {
	t.Helper()
	object, _ := envelope["data"].(map[string]any)
	data := document.Document(object)
	if id := data["cluster_id"]; id != nil && id != clusterID {
		t.Errorf("taken for cluster %v", id)
	}
	if identity.AccountID != data["account_id"] || len(identity.AccountID) != 32 || !identity.Remote ||
		identity.ClusterID != clusterID || identity.Superduper || identity.Master && !data.Bool("is_master_account") {
		t.Errorf("%+v of %v", identity, data)
	}
}
