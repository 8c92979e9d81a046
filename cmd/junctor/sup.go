package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/sup"
)

func defineSup(*flag.FlagSet) task {
	return func(ctx context.Context, w *workplace, p *process, operands []string) error {
		text, code := sup.Run(ctx, sup.Deps{
			Pool:     w.pool,
			Accounts: w.accounts,
			Founder:  w.founder,
			Install:  func(ctx context.Context) error { return dedicatedip.Install(ctx, w.store) },
			Heal:     w.healer.Refresh,
		}, operands)
		switch {
		case code == 2:
			return usageError(text)
		case code != 0:
			return errors.New(text)
		case text == "":
			return nil
		}
		_, err := fmt.Fprintln(p.stdout, text)
		return err
	}
}
