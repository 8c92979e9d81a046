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
	return func(p *process, operands []string) (job, error) {
		call, text, code := sup.Parse(operands)
		if call == nil {
			if err := p.sayAsSup(text, code); err != nil {
				return job{}, err
			}
			return job{}, exitCode(0)
		}
		run := func(ctx context.Context, w *workplace, p *process) error {
			text, code := call.Run(ctx, sup.Deps{
				Pool:     w.pool,
				Accounts: w.accounts,
				Founder:  w.founder,
				Install:  func(ctx context.Context) error { return dedicatedip.Install(ctx, w.store) },
				Heal:     w.healer.Refresh,
			})
			return p.sayAsSup(text, code)
		}
		if call.ReadOnly() {
			return reading(run), nil
		}
		return writing(run), nil
	}
}

// sayAsSup prints what a command of sup has come to, or returns it as an error.
func (p *process) sayAsSup(text string, code int) error {
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
