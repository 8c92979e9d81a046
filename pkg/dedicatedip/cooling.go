package dedicatedip

import (
	"context"

	"junctor/pkg/cooling"
	"junctor/pkg/fault"
	"junctor/pkg/history"
)

// Settings are what operators set for the pool. They are read for each request.
type Settings interface {
	// Cooling returns for how many seconds an address that an account gave back is assigned to no other account.
	Cooling(ctx context.Context) (seconds int64, err error)
	// MaxPerAccount returns how many addresses an account can have by its own requests. ok is false if there is no limit.
	MaxPerAccount(ctx context.Context) (most int64, ok bool, err error)
}

// Cooling returns by which rule addresses cool now.
func (p *Pool) Cooling(ctx context.Context) (cooling.Rule, error) {
	if p.options.Settings == nil {
		return cooling.Rule{}, nil
	}
	seconds, err := p.options.Settings.Cooling(ctx)
	return cooling.Rule{Seconds: seconds, Now: p.now()}, err
}

// coolingUntil returns until when an available address cools by a rule, in Gregorian seconds; 0 if it does not.
func (ip IP) coolingUntil(r cooling.Rule) int64 {
	release, ok := history.LastRelease(ip.doc)
	if !ok {
		return 0
	}
	return r.Until(release.At)
}

// coolingFor is coolingUntil for an account, by a rule that is read only for an address that was given back. An address
// does not cool for the account that gave it back. If Kazoo alone has written the document, the history may know that
// account; if the history can't be read, the address cools.
func (p *Pool) coolingFor(
	ctx context.Context, ip IP, accountID string, cools func() (cooling.Rule, error),
) (until int64, err error) {
	release, ok := history.LastRelease(ip.doc)
	if !ok || release.Account == accountID {
		return 0, nil
	}
	rule, err := cools()
	if err != nil {
		return 0, err
	}
	until = rule.Until(release.At)
	if until > 0 && release.Account == "" && p.options.History != nil {
		e, ok, err := p.options.History.At(ctx, ip.ID(), release.At)
		if err == nil && ok && e.Action == history.Released && e.From == accountID {
			return 0, nil
		}
	}
	return until, nil
}

// checkMaximum returns fault.Invalid, at a field, if an account would have more addresses than it can by its own
// requests. Requests at the same time do not see each other: together they may exceed the number by those on their way.
func (p *Pool) checkMaximum(ctx context.Context, accountID, field string, more int) error {
	if p.options.Settings == nil || more == 0 {
		return nil
	}
	most, ok, err := p.options.Settings.MaxPerAccount(ctx)
	if err != nil || !ok {
		return err
	}
	has, err := p.count(ctx, accountID)
	if err != nil || int64(has+more) <= most {
		return err
	}
	return fault.Finding(field, "maximum", "the account can have at most that many addresses by its own requests",
		map[string]any{"target": most, "value": more, "assigned": has})
}

// count returns how many addresses an account has.
func (p *Pool) count(ctx context.Context, accountID string) (int, error) {
	if x := p.Read().index; x != nil {
		return x.Held(accountID), nil
	}
	ips, err := p.heldBy(ctx, accountID)
	return len(ips), err
}
