package main

import (
	"context"
	"flag"
	"fmt"

	"junctor/pkg/dedicatedip"
)

func defineIPs(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	fromCopies := fs.Bool("from-copies", false, "rebuild: from what the accounts have copies of, the only way there is")
	confirm := fs.Bool("confirm", false, "repair: remove copies however many they are")
	return func(p *process, operands []string) (job, error) {
		switch verb := first(operands); {
		case len(operands) == 1 && verb == "rebuild" && *fromCopies && !*confirm:
			return writing(func(ctx context.Context, w *workplace, p *process) error {
				return rebuildPool(ctx, w, p, *asJSON)
			}), nil
		case len(operands) == 1 && verb == "repair" && !*fromCopies:
			return writing(func(ctx context.Context, w *workplace, p *process) error {
				return repairCopies(ctx, w, p, *confirm, *asJSON)
			}), nil
		}
		return job{}, usageError("ips: it takes \"rebuild --from-copies\" or \"repair\", the latter with or without --confirm")
	}
}

// rebuildPool fails where addresses are left to the operator, after it has listed them.
func rebuildPool(ctx context.Context, w *workplace, p *process, asJSON bool) error {
	done, err := w.healer.RebuildFromCopies(ctx)
	if err != nil {
		return fmt.Errorf("%w (%d addresses were restored; the command may be repeated)", err, done.Restored)
	}
	rows := [][]string{{fmt.Sprintf("read the copies of %d accounts: %d addresses restored, %d were in the pool", done.Accounts,
		done.Restored, done.Present)}}
	rows = append(rows, claimRows("contested", done.Contested)...)
	rows = append(rows, claimRows("unclear", done.Unclear)...)
	if err := p.print(asJSON, done, rows); err != nil {
		return err
	}
	if left := len(done.Contested) + len(done.Unclear); left > 0 {
		return fmt.Errorf("%d copies contradict each other or the pool, and were left out: decide who holds each address, add it to the "+
			"pool and assign it; the next full pass then removes the copies of the others", left)
	}
	return nil
}

func claimRows(kind string, claims []dedicatedip.Claim) (rows [][]string) {
	for _, c := range claims {
		row := []string{kind, c.IP, "copy of account " + c.Account, "zone " + c.Zone, "host " + c.Host}
		if c.Holder != "" {
			row = append(row, "the pool says "+c.Holder)
		}
		rows = append(rows, row)
	}
	return rows
}

func repairCopies(ctx context.Context, w *workplace, p *process, confirmed, asJSON bool) error {
	if err := w.healer.Repair(ctx, confirmed); err != nil {
		return err
	}
	return p.print(asJSON, map[string]bool{"equal": true}, [][]string{{"the copies of all accounts equal the pool"}})
}
