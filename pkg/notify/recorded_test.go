package notify

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/kazoo"
	"junctor/pkg/notify/brokertest"
)

// step is a request that was made to a real Crossbar, and the messages about addresses that it published.
type step struct {
	Does    string   `json:"does"`
	Account string   `json:"account"`
	IPs     []string `json:"ips"`
	AMQP    []heard  `json:"amqp"`
}

func recorded(t *testing.T) []step {
	t.Helper()
	f, err := os.Open("testdata/recorded.jsonl")
	ok(t, err)
	defer f.Close()
	var steps []step
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var s step
		ok(t, json.Unmarshal(lines.Bytes(), &s))
		steps = append(steps, s)
	}
	return steps
}

// TestRecorded makes the recorded requests and compares what the broker passes on with what Kazoo's did, field for
// field. Only the names of node and message differ, and revisions are those of our store. Kazoo does not send the
// message about an account's proxies.
func TestRecorded(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	s := openStore(t, "memory:")
	p, w := start(t, brokertest.URL(b.Address()), s, defaults)
	pool, clock := newPool(t, w)
	l := listen(t, b)
	for _, step := range recorded(t) {
		clock.Store(int64(step.AMQP[0].Payload["Date-Created"].(float64)))
		ok(t, step.run(t, pool))
		idle(t, p)
		got := l.others(b)
		compare(t, step, slices.DeleteFunc(got, func(h heard) bool { return h.text("Type") == "resource" }))
	}
}

func (s step) run(t *testing.T, pool *dedicatedip.Pool) (err error) {
	switch s.Does {
	case "create":
		_, err = pool.Create(t.Context(), dedicatedip.CreateRequest{Address: s.IPs[0], Zone: "z1", Host: "h1"})
	case "assign":
		_, err = pool.Assign(t.Context(), dedicatedip.AssignRequest{Account: s.Account, Addresses: s.IPs})
	case "release":
		_, err = pool.Release(t.Context(), dedicatedip.ReleaseRequest{Account: s.Account, Addresses: s.IPs})
	}
	return err
}

// compare ignores the order of messages about different documents.
func compare(t *testing.T, s step, got []heard) {
	t.Helper()
	byKey := func(a, b heard) int { return strings.Compare(a.Key, b.Key) }
	want := slices.SortedFunc(slices.Values(s.AMQP), byKey)
	if len(got) != len(want) {
		t.Fatalf("%s %v: got %d messages, want %d", s.Does, s.IPs, len(got), len(want))
	}
	slices.SortFunc(got, byKey)
	for i := range want {
		for _, field := range []string{"Msg-ID", "Node", "Rev"} {
			if len(got[i].text(field)) == 0 {
				t.Errorf("%s %v: no %s", s.Does, s.IPs, field)
			}
		}
		if len(got[i].text("Msg-ID")) != len(want[i].text("Msg-ID")) ||
			kazoo.Generation(got[i].text("Rev")) != kazoo.Generation(want[i].text("Rev")) {
			t.Errorf("%s %v: Msg-ID or Rev is of another kind: %v", s.Does, s.IPs, got[i].Payload)
		}
		if got[i].Key != want[i].Key || got[i].Exchange != want[i].Exchange ||
			!reflect.DeepEqual(masked(got[i].Payload), masked(want[i].Payload)) {
			t.Errorf("%s %v:\n got %s %v\nwant %s %v", s.Does, s.IPs, got[i].Key, got[i].Payload, want[i].Key, want[i].Payload)
		}
		properties(t, got[i])
	}
}

func masked(payload map[string]any) map[string]any {
	payload = maps.Clone(payload)
	for _, field := range []string{"Msg-ID", "Node", "Rev"} {
		payload[field] = "*"
	}
	return payload
}

// properties checks what Kazoo gives a message besides its payload.
func properties(t *testing.T, h heard) {
	t.Helper()
	sent := time.UnixMicro(h.delivery.Timestamp.Unix())
	if age := time.Since(sent); age < 0 || age > time.Hour {
		t.Errorf("the timestamp %v is not in microseconds", h.delivery.Timestamp)
	}
	if h.delivery.ContentType != "application/json" || h.delivery.DeliveryMode > 1 {
		t.Errorf("content type %q, delivery mode %d", h.delivery.ContentType, h.delivery.DeliveryMode)
	}
}

// TestDelete: Kazoo's own root DELETE never deletes, so there is no recording of it; this is the form of §6.
func TestDelete(t *testing.T) {
	t.Parallel()
	b := brokertest.Require(t, shared)
	s := openStore(t, "memory:")
	_, w := start(t, brokertest.URL(b.Address()), s, defaults)
	pool, clock := newPool(t, w)
	l := listen(t, b)
	clock.Store(100)
	ok(t, step{Does: "create", IPs: []string{"10.0.0.9"}}.run(t, pool))
	clock.Store(200)
	ok(t, step{Does: "assign", Account: accountA, IPs: []string{"10.0.0.9"}}.run(t, pool))
	l.take(4)
	_, err := pool.Delete(t.Context(), dedicatedip.DeleteRequest{Address: "10.0.0.9"})
	ok(t, err)

	got := l.take(3)
	const copied = "account%2F20%2Fd2%2F7928305e257782655b7896c79f14"
	for i, want := range []string{
		"doc_deleted.dedicated_ips.dedicated_ip.10%2E0%2E0%2E9",
		"doc_deleted." + copied + ".dedicated_ip.10%2E0%2E0%2E9",
		"doc_edited." + copied + ".resource.10%2E0%2E0%2E9",
	} {
		if got[i].Key != want {
			t.Errorf("got %s, want %s", got[i].Key, want)
		}
	}
	payload := got[0].Payload
	if payload["Date-Modified"] != 100.0 || payload["Date-Created"] != 200.0 || payload["Is-Soft-Deleted"] != false ||
		payload["Event-Name"] != "doc_deleted" || kazoo.Generation(got[0].text("Rev")) != 3 {
		t.Errorf("the delete says %v", payload)
	}
	want := map[string]any{
		"ID": "10.0.0.9", "Type": "resource", "Database": copied, "Account-ID": accountA, "Is-Soft-Deleted": false,
		"Event-Category": "configuration", "Event-Name": "doc_edited", "App-Name": "datamgr", "App-Version": "4.0.0",
		"Origin-Cache": "kazoo_data_cache", "Node": "junctor@TestDelete", "Msg-ID": got[2].Payload["Msg-ID"],
	}
	if !reflect.DeepEqual(got[2].Payload, want) {
		t.Errorf("the resource notice says %v", got[2].Payload)
	}
	l.nothing(b)
}
