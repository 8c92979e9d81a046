package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"junctor/pkg/account"
	"junctor/pkg/adminsocket"
	"junctor/pkg/fault"
	"junctor/pkg/projection"
	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// storeTask is what a command does on a store. The server that has the store open does it, or else this process.
type storeTask struct {
	// input reads a password, a key or a file. It runs where the operator is; a server gets the result beside the
	// arguments. It may be nil.
	input func(args []string) (string, error)
	// check validates flags and operands before a store is opened. What it refuses is wrong usage. It may be nil.
	check func(args []string) error
	// in opens what run reads from c.stdin, on the operator's side, before a store is opened. It may be nil: then run reads
	// nothing, and the standard input is left to the commands after this one.
	in func(args []string) (io.ReadCloser, error)
	// out makes what run writes to c.stdout the file that the first operand names.
	out bool
	run func(ctx context.Context, a *app, args []string) error
	// asIs tasks work on a store that may lack all that is ours: it is not installed for them. Those that change nothing
	// are such.
	asIs bool
	// dryRun is the flag with which a task is one. It may be nil.
	dryRun *bool
	// creates allows a store that does not exist. It is refused otherwise: a new one is more likely due to a typing
	// error than wanted.
	creates bool
	// local tasks open a CouchDB from this process even if a server has it open.
	local bool
}

// storeCommand makes cmd do a task. The command needs the flags of storeFlags.
func (c *cli) storeCommand(cmd *cobra.Command, t storeTask) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if c.app == nil {
			if err := c.store.check(c.getenv); err != nil {
				return err
			}
			c.stdout = stoppable{ctx: cmd.Context(), to: c.stdout}
			c.stderr = stoppable{ctx: cmd.Context(), to: c.stderr}
			if t.input != nil {
				c.input, err = interruptible(cmd.Context(), func() (string, error) { return t.input(args) })
				if err != nil {
					return err
				}
			}
		}
		if t.check != nil {
			if err := t.check(args); err != nil {
				return misuse(err)
			}
		}
		if c.app != nil {
			return t.do(cmd.Context(), c.app, args)
		}
		if t.in != nil {
			in, err := interruptible(cmd.Context(), func() (io.ReadCloser, error) { return t.in(args) })
			if err != nil {
				return err
			}
			defer in.Close()
			c.stdin = in
		}
		if t.out {
			return c.intoFile(args[0], func() error { return c.doAnywhere(cmd, t, args) })
		}
		return c.doAnywhere(cmd, t, args)
	}
	return cmd
}

// do does a task on an open store.
func (t storeTask) do(ctx context.Context, a *app, args []string) error {
	if !t.asIs && (t.dryRun == nil || !*t.dryRun) {
		if err := installWithoutPool(ctx, a.store); err != nil {
			return err
		}
	}
	return t.run(ctx, a, args)
}

// doAnywhere forwards a task to the server of the store, or does it here if there is none. A server that has just
// started holds the lock of an embedded store a moment before its socket is there, so it is looked for once more.
func (c *cli) doAnywhere(cmd *cobra.Command, t storeTask, args []string) error {
	if t.local && store.IsCouchDB(c.store.dsn) {
		return c.doHere(cmd.Context(), t, args)
	}
	home := c.store.home()
	socket, forwarded := c.store.socket(home), forwardedArgs(cmd, args)
	if err := c.forward(cmd.Context(), socket, t, forwarded); !errors.Is(err, adminsocket.ErrNoServer) {
		return err
	}
	if c.store.dsn == embedded.Memory {
		return errors.New("a store in memory is in the server that made it: give that one's --state-dir")
	}
	if c.store.missing() && !t.creates {
		if err := c.store.checkHome(home); err != nil {
			return err
		}
		return fmt.Errorf("there is no store %s: \"junctor bootstrap\" or \"junctor serve\" creates one", c.store.dsn)
	}
	err := c.doHere(cmd.Context(), t, args)
	if _, ok := errors.AsType[openError](err); ok {
		if err := c.forward(cmd.Context(), socket, t, forwarded); !errors.Is(err, adminsocket.ErrNoServer) {
			return err
		}
	}
	return err
}

// openError says that the store could not be opened, so that nothing has been done.
type openError struct{ error }

func (e openError) Unwrap() error { return e.error }

// copiesTime is how long a task waits for accounts' copies: nothing writes them after this process has ended.
const copiesTime = 30 * time.Second

// doHere opens the store and does a task in this process.
func (c *cli) doHere(ctx context.Context, t storeTask, args []string) error {
	home := c.store.home()
	if err := c.store.checkHome(home); err != nil {
		return err
	}
	key, err := c.secretKey(home, c.store.state())
	if err != nil {
		return err
	}
	isNew := c.store.missing()
	log := zerolog.New(c.stderr).Level(zerolog.WarnLevel).With().Timestamp().Logger()
	s, err := store.Open(c.store.dsn, store.Options{Log: log})
	if err != nil {
		return openError{err}
	}
	defer s.Close()
	if isNew {
		folder, _ := filepath.Abs(c.store.dsn)
		_, _ = fmt.Fprintf(c.stderr, "junctor: created a new store in %s\n", folder)
	}
	a, err := newApp(s, appOptions{home: home, key: key, node: account.Node{Name: nodeName()}, log: log,
		copies: projection.Options{Patience: copiesTime}})
	if err != nil {
		return err
	}
	defer a.pool.Close()
	if t.in != nil {
		c.stdin = stoppable{ctx: ctx, from: c.stdin}
	}
	err = t.do(ctx, a, args)
	if err := a.history.Close(); err != nil {
		log.Warn().Err(err).Msg("the history lacks what was changed here; the next server that starts moves it there")
	}
	return c.store.explain(err)
}

// forwardedArgs returns arguments that mean the same in the server, which does not have this environment.
func forwardedArgs(cmd *cobra.Command, operands []string) []string {
	args := strings.Fields(cmd.CommandPath())[1:]
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !isMarked(f, isLocal) {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	return append(append(args, "--"), operands...)
}

// neverInstalled reports whether err says that what was to be read is not in the store because nothing was ever
// written there.
func neverInstalled(err error) bool {
	return fault.Is(err, fault.DatastoreMissing) || fault.Is(err, fault.DatastoreMissingView)
}
