package sup

import (
	"context"
	"fmt"
	"strings"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/ipbatch"
	"junctor/pkg/kazoo"
)

func add(ctx context.Context, d Deps, args []string) (string, int) {
	address := args[0]
	err := d.Pool.Add(ctx, dedicatedip.CreateRequest{Address: address, Zone: args[1], Host: args[2], By: d.By})
	if fault.Is(err, fault.Invalid) {
		return fmt.Sprintf("unable to add IP %s: it needs a zone and a host of at most %d characters, and can't begin with \"_\"", address, ipbatch.MaxName),
			failed
	}
	text, code := result(err, fmt.Sprintf("added IP %s to available dedicated ips", address),
		"unable to add IP "+strings.ReplaceAll(address, "%", "%%")+": %s", "")
	if code == 0 {
		text += "\nok" // what Kazoo's function returns, which its sup prints; the others return no_return
	}
	return text, code
}

func assign(ctx context.Context, d Deps, args []string) (string, int) {
	text, typed := args[0], args[1]
	id := accountID(typed)
	holder, err := d.Accounts.Get(ctx, id)
	if err == nil && holder.Deleted {
		err = fault.New(fault.BadIdentifier, "")
	}
	if err == nil {
		_, err = d.Pool.Assign(ctx, dedicatedip.AssignRequest{Account: id, Addresses: []string{text}, By: d.By})
		return result(err, fmt.Sprintf("assigned IP %s to %s", text, typed), "unable to assign IP: %s", "already_assigned")
	}
	return result(err, "", "unable to find account: %s", "")
}

// accountID reads an account as Kazoo does (kz_util format_account_id): its id, or the name of its database.
func accountID(typed string) string {
	decoded := strings.NewReplacer("%2F", "/", "%2f", "/").Replace(typed)
	name, isDatabase := strings.CutPrefix(decoded, kazoo.AccountPrefix)
	if !isDatabase {
		return typed
	}
	return strings.ReplaceAll(name, "/", "")
}

// releaseAttempts bounds how often a release follows an address from one holder to the next.
const releaseAttempts = 4

func release(ctx context.Context, d Deps, args []string) (text string, code int) {
	var err error
	for range releaseAttempts {
		if err = releaseFromHolder(ctx, d, args[0]); reason(err, "") != held {
			break
		}
	}
	return result(err, "released IP "+args[0], "unable to release IP: %s", "conflict")
}

// releaseFromHolder takes an address back from whoever holds it.
func releaseFromHolder(ctx context.Context, d Deps, address string) error {
	ip, err := d.Pool.Read().Get(ctx, address)
	if err != nil {
		return err
	}
	_, err = d.Pool.Release(ctx, dedicatedip.ReleaseRequest{
		Account: ip.AssignedTo, Addresses: []string{address}, By: d.By,
	})
	return err
}

func remove(ctx context.Context, d Deps, args []string) (string, int) {
	err := d.Pool.Remove(ctx, dedicatedip.DeleteRequest{Address: args[0], By: d.By})
	return result(err, "deleted IP "+args[0], "unable to delete IP: %s", "")
}

func refresh(ctx context.Context, d Deps, _ []string) (string, int) {
	err := d.Install(ctx)
	if err == nil {
		err = d.Reconcile(ctx)
	}
	return result(err, "", "unable to refresh: %s", "")
}

func refreshViews(ctx context.Context, d Deps, args []string) (string, int) {
	if args[0] != "dedicated_ips" {
		return fmt.Sprintf("unable to refresh %s: only dedicated_ips can be refreshed here", args[0]), failed
	}
	return result(d.Install(ctx), "", "unable to refresh dedicated_ips: %s", "")
}
