package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"junctor/pkg/fault"
	"junctor/pkg/history"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/progress"
)

// timeFlagHelp explains times in help.
const timeFlagHelp = `A time is 2026-11-27, 2026-11-27T15:04:05, both in UTC, or RFC 3339 such as
2026-11-27T15:04:05+01:00.`

func (c *cli) ipsHistoryCommand() *cobra.Command {
	var accountName, at, since, until string
	f := history.Filter{PageSize: historyPage}
	cmd := &cobra.Command{
		Use:   "history [IP]",
		Short: "Show who changed addresses, and when",
		Long: `Shows the changes of an address, of an account's addresses or of the whole pool,
the newest first. --at shows only the last change of an address up to a time:
the account under TO had the address at that time, or no account if TO is "-".

` + timeFlagHelp,
		Args: operands(0, 1),
	}
	nameVar(cmd.Flags(), &accountName, "account", "id, realm or name of an `ACCOUNT` that had or has the addresses")
	nameVar(cmd.Flags(), &at, "at", "show the last change of IP up to this `TIME`")
	nameVar(cmd.Flags(), &since, "since", "show changes from this `TIME` on")
	nameVar(cmd.Flags(), &until, "until", "show changes up to this `TIME`")
	return c.storeCommand(cmd, storeTask{
		asIs: true,
		check: func(args []string) error {
			switch {
			case at != "" && len(args) == 0:
				return usageError("--at needs an IP")
			case accountName != "" && len(args) > 0:
				return usageError("IP and --account exclude each other")
			case at != "" && since+until != "":
				return usageError("--at excludes --since and --until")
			}
			last, atErr := parseTime("--at", at)
			from, sinceErr := parseTime("--since", since)
			to, untilErr := parseTime("--until", until)
			if err := cmp.Or(atErr, sinceErr, untilErr); err != nil {
				return err
			}
			if until != "" && to < from {
				return usageError("--until is before --since")
			}
			f.From, f.To = from, max(to, last)
			return checkAddresses(args)
		},
		run: func(ctx context.Context, a *app, args []string) (err error) {
			if accountName != "" {
				found, err := a.accounts.Find(ctx, accountName)
				if err != nil {
					return err
				}
				f.Account = found.ID
			}
			if len(args) > 0 {
				if f.IP, err = a.historyOf(ctx, args[0]); err != nil {
					return err
				}
			}
			if at != "" {
				f.PageSize = 1
			}
			return c.printHistory(ctx, a, f, at == "")
		},
	})
}

// historyPage is how many events are read at once.
const historyPage = 1000

// historyOf returns the spelling under which the history has an address: that of the pool, or else the canonical one.
func (a *app) historyOf(ctx context.Context, text string) (string, error) {
	addr, _ := ipaddr.Parse(text)
	ip, err := a.pool.Read().Get(ctx, addr.String())
	switch {
	case err == nil:
		return ip.ID, nil
	case fault.Is(err, fault.BadIdentifier) || neverInstalled(err):
		return addr.String(), nil
	}
	return "", err
}

// printHistory prints the events of a filter: all of them, or the first page.
func (c *cli) printHistory(ctx context.Context, a *app, f history.Filter, all bool) error {
	list := c.newListing([]string{"TIME", "ACTION", "IP", "ZONE", "FROM", "TO", "BY", "SOURCE"}, 3, 4, 5, 6)
	for first := true; ; first = false {
		page, err := a.history.List(ctx, f)
		if err != nil && !neverInstalled(err) {
			return err
		}
		if first && len(page.Events) == 0 && page.Next == "" && !c.asJSON {
			_, err := fmt.Fprintln(c.stdout, "no change is known")
			return err
		}
		var ids []string
		for _, e := range page.Events {
			ids = append(ids, e.From, e.To, e.AccountID)
		}
		names, err := a.accountNames(ctx, ids...)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			who := strings.Trim(e.AccountID+"/"+e.UserID, "/")
			err := list.add(e, kazoo.FromGregorian(e.At).Format(time.RFC3339), string(e.Action), e.IP, e.Zone, named(names, e.From),
				named(names, e.To), cmp.Or(strings.TrimSpace(names[e.AccountID]+" "+who), "-"), string(e.Source))
			if err != nil {
				return err
			}
		}
		if f.StartKey = page.Next; f.StartKey == "" || !all {
			return list.end(nil)
		}
	}
}

// named returns an account for a table: its name, if it is known, and its id; "-" for none.
func named(names map[string]string, id string) string {
	return cmp.Or(strings.TrimSpace(names[id]+" "+id), "-")
}

// parseTime returns the Gregorian seconds of the time in a flag, 0 for an empty text.
func parseTime(flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", time.DateTime, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return max(kazoo.Gregorian(t), 1), nil
		}
	}
	return 0, usageError(fmt.Sprintf("%s: %q is not a time such as 2026-11-27 or 2026-11-27T15:04:05Z", flag, text))
}

func (c *cli) historyCommand() *cobra.Command {
	return group(&cobra.Command{Use: "history", Short: "Remove old events from the history of addresses"},
		withoutVariable(c.historyPruneCommand()))
}

func (c *cli) historyPruneCommand() *cobra.Command {
	var before string
	var prunedTo int64
	cmd := &cobra.Command{
		Use:   "prune --before TIME",
		Short: "Remove old events from the history of addresses",
		Long: `Removes events that are older than a time. The last event of each address in the
pool stays, since it says which account has the address, and since when. The
command may be repeated.

` + timeFlagHelp,
		Args: operands(0, 0),
	}
	nameVar(cmd.Flags(), &before, "before", "remove events from before this `TIME`")
	return c.storeCommand(cmd, storeTask{
		check: func([]string) (err error) {
			if before == "" {
				return usageError("--before is missing")
			}
			prunedTo, err = parseTime("--before", before)
			return err
		},
		run: func(ctx context.Context, a *app, _ []string) error {
			shown := progress.New(c.stderr, c.terminal.Interactive)
			done, err := a.history.Prune(ctx, prunedTo, func(seen int) {
				shown.Show(int64(seen), 0, fmt.Sprintf("%d events compared", seen))
			})
			shown.End()
			if err != nil {
				return partial{err, fmt.Sprintf("%d events were removed, and the command may be run again", done.Removed)}
			}
			return c.print(done, [][]string{{fmt.Sprintf(
				"removed %d events; left %d older ones that say who has an address now", done.Removed, done.Kept)}})
		},
	})
}
