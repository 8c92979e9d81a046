package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/store"
)

// task checks how a subcommand was called and returns what it does on a store. Nothing is opened before that.
type task func(p *process, operands []string) (job, error)

// job is what a subcommand does on a store.
type job struct {
	run func(ctx context.Context, w *workplace, p *process) error
	// readOnly says that it changes nothing. Then nothing is installed for it either.
	readOnly bool
}

// writing returns a job that finds our databases and design documents in the store, but for a pool that was lost.
func writing(run func(ctx context.Context, w *workplace, p *process) error) job {
	return job{run: func(ctx context.Context, w *workplace, p *process) error {
		if err := installWithoutPool(ctx, w.store); err != nil {
			return err
		}
		return run(ctx, w, p)
	}}
}

// reading returns a job that changes nothing. The store may lack everything that is ours.
func reading(run func(ctx context.Context, w *workplace, p *process) error) job {
	return job{run: run, readOnly: true}
}

// neverInstalled reports whether err says that what was to be read is not in the store, as nobody has written it yet.
func neverInstalled(err error) bool {
	return fault.Is(err, fault.DatastoreMissing) || fault.Is(err, fault.DatastoreMissingView)
}

// operandReader puts the content of files in the place of their names, where the operator is: a server may see others.
type operandReader func(p *process, operands []string) ([]string, error)

// founding is the subcommand that may begin with nothing. The others refuse a folder that is not there: its name is
// more likely a slip than a wish for a new store.
const founding = "bootstrap"

// onStore makes a task a subcommand: it gets the flags of a site, and is done by the server that has that store open,
// where there is one.
func (c command) onStore(flags *flag.FlagSet) action {
	at := &site{}
	at.define(flags)
	plan := c.task(flags)
	source := func(*process) (string, error) { return "", nil }
	if c.secret != nil {
		source = c.secret(flags)
	}
	return func(ctx context.Context, p *process, operands []string) (err error) {
		if p.at != nil {
			do, err := plan(p, operands)
			if err != nil {
				return err
			}
			return do.run(ctx, p.at, p)
		}
		if err := at.check(p.getenv); err != nil {
			return err
		}
		if p.secret, err = source(p); err != nil {
			return err
		}
		if c.read != nil {
			if operands, err = c.read(p, operands); err != nil {
				return err
			}
		}
		do, err := plan(p, operands)
		if err != nil {
			return err
		}
		if c.local && store.IsCouchDB(at.dsn) {
			return p.do(ctx, do, *at)
		}
		return p.forwardOrDo(ctx, do, *at, flags, operands)
	}
}

// forwardOrDo hands a task to the server of a store, or does it here where there is none. A server that has just
// started holds an embedded store a moment before it takes tasks, so one is looked for again before the lock counts.
func (p *process) forwardOrDo(ctx context.Context, do job, at site, flags *flag.FlagSet, operands []string) error {
	socket, args := at.socket(at.home()), canonical(flags, operands)
	if err := p.forward(ctx, socket, args); !errors.Is(err, errNoServer) {
		return err
	}
	if at.missing() && flags.Name() != founding {
		if err := at.checkHome(at.home()); err != nil {
			return err
		}
		return fmt.Errorf("there is no store %s: \"junctor bootstrap\" makes one, \"junctor serve\" too", at.dsn)
	}
	err := p.do(ctx, do, at)
	if _, ok := errors.AsType[openError](err); ok {
		if answer := p.forward(ctx, socket, args); !errors.Is(answer, errNoServer) {
			return answer
		}
	}
	return err
}

// openError says that the store could not be opened, so that nothing has been done.
type openError struct{ error }

func (e openError) Unwrap() error { return e.error }

// taskPatience is how long a task waits for accounts' copies: nobody goes on with them after it.
const taskPatience = 30 * time.Second

// do does a task in this process.
func (p *process) do(ctx context.Context, do job, at site) error {
	if err := at.checkHome(at.home()); err != nil {
		return err
	}
	key, err := p.secretKey(at.home(), at.state())
	if err != nil {
		return err
	}
	isNew := at.missing()
	log := zerolog.New(p.stderr).Level(zerolog.WarnLevel).With().Timestamp().Logger()
	s, err := store.Open(at.dsn, store.Options{Log: log})
	if err != nil {
		return openError{err}
	}
	defer s.Close()
	if isNew {
		folder, _ := filepath.Abs(at.dsn)
		_, _ = fmt.Fprintf(p.stderr, "junctor: created a new store in %s\n", folder)
	}
	w, err := newWorkplace(s, workOptions{key: key, node: account.Node{Name: nodeName()}, log: log,
		pool: dedicatedip.Options{Patience: taskPatience}})
	if err != nil {
		return err
	}
	defer w.pool.Close()
	return at.explain(do.run(ctx, w, p))
}

// notSent are the flags of which a server knows what they say here: it has a site of its own, and is told the secret.
var notSent = map[string]bool{
	"store": true, "state-dir": true, "password": true, "password-stdin": true, "api-key-stdin": true,
}

// canonical answers arguments that mean the same without the environment, in the server of the store.
func canonical(flags *flag.FlagSet, operands []string) []string {
	args := []string{flags.Name()}
	flags.VisitAll(func(f *flag.Flag) {
		if !notSent[f.Name] {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	return append(append(args, "--"), operands...)
}
