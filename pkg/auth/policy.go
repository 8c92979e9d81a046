package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/maypok86/otter/v2"

	"junctor/pkg/account"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
)

// anything is the wildcard of restrictions for methods, levels, endpoints, accounts and verbs.
const anything = "_"

// A policy is a document of restrictions: method > level > endpoint > entries, of which each has rules.
type (
	policy    map[string]levels
	levels    map[string]endpoints
	endpoints map[string][]entry
	entry     struct {
		Accounts []string `json:"allowed_accounts"` // nil is any
		Rules    rules    `json:"rules"`
	}
	rules []rule // in the order of the document, which counts
	rule  struct {
		pattern []string
		verbs   []string
	}
)

// of returns the restrictions on tokens of a method, nil for none, and whether they are those of its name.
func (p policy) of(method string) (found levels, named bool) {
	if found, ok := p[method]; ok && method != "" {
		return found, true
	}
	return p[anything], false
}

// UnmarshalJSON reads rules in the order they are written in.
func (r *rules) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	start, err := decoder.Token()
	if err != nil || start != json.Delim('{') {
		return errors.Join(errors.New("rules are not an object"), err)
	}
	*r = rules{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		read := rule{pattern: splitPattern(key.(string))}
		if err := decoder.Decode(&read.verbs); err != nil {
			return err
		}
		*r = append(*r, read)
	}
	return nil
}

// splitPattern splits at slashes and drops what is empty at the end, so that "/" fits no parameters. Of several "#" in a
// row it leaves one, which fits the same: matches would try every way to divide the parameters among them.
func splitPattern(text string) []string {
	pattern := strings.Split(text, "/")
	for len(pattern) > 0 && pattern[len(pattern)-1] == "" {
		pattern = pattern[:len(pattern)-1]
	}
	return slices.CompactFunc(pattern, func(a, b string) bool { return a == "#" && b == "#" })
}

// readPolicy reads a document of restrictions and its revision. Of sections that name a method, the first counts. In
// the system's, settings of other kinds stand beside the methods; they are left out.
func readPolicy(text []byte, sections []string) (rev string, p policy, err error) {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		return "", nil, err
	}
	if err := json.Unmarshal(doc["_rev"], &rev); err != nil {
		return "", nil, err
	}
	p = policy{}
	for _, section := range sections {
		if err := p.add(doc[section]); err != nil {
			return "", nil, err
		}
	}
	return rev, p, nil
}

// add adds the methods of a section that p does not have yet.
func (p policy) add(section []byte) error {
	if section == nil {
		return nil
	}
	var methods map[string]json.RawMessage
	if err := json.Unmarshal(section, &methods); err != nil {
		return err
	}
	for method, restrictions := range methods {
		if _, known := p[method]; known || !bytes.HasPrefix(bytes.TrimSpace(restrictions), []byte("{")) {
			continue
		}
		var read levels
		if err := json.Unmarshal(restrictions, &read); err != nil {
			return fmt.Errorf("method %s: %w", method, err)
		}
		p[method] = read
	}
	return nil
}

// policies reads documents of restrictions and caches them decoded, by revision.
type policies struct {
	store Store
	read  *otter.Cache[location, revisedPolicy]
}

// location names a document.
type location struct{ db, id string }

type revisedPolicy struct {
	rev    string
	policy policy
	text   int // bytes
}

// The cache is bounded in bytes, since customers write their restrictions.
const (
	maxPolicyBytes = 16 << 20
	policyFactor   = 8 // how much more memory restrictions take than their text
)

func newPolicies(s Store) *policies {
	return &policies{store: s, read: otter.Must(&otter.Options[location, revisedPolicy]{
		MaximumWeight: maxPolicyBytes,
		Weigher:       func(_ location, p revisedPolicy) uint32 { return uint32(min(policyFactor*p.text, math.MaxUint32)) },
	})}
}

// of returns the restrictions in sections of a document, the same ones each time; nil is none. If they can't be read, the
// error is of kind fault.Forbidden, so that they forbid everything.
func (p *policies) of(
	ctx context.Context, documents account.Reader, at location, sections ...string,
) (policy, error) {
	doc, err := documents.Get(ctx, at.db, at.id)
	if account.Missing(err) || err == nil && doc.Bool(kazoo.FieldDeleted) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if known, ok := p.read.GetIfPresent(at); ok && known.rev == doc.Rev() {
		return known.policy, nil
	}
	text, err := p.store.Text(ctx, at.db, at.id)
	if account.Missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rev, read, err := readPolicy(text, sections)
	if err != nil {
		return nil, fault.Wrap(fault.Forbidden, fmt.Errorf("restrictions in %s/%s: %w", at.db, at.id, err))
	}
	p.read.Set(at, revisedPolicy{rev, read, len(text)})
	return read, nil
}
