package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"junctor/pkg/dedicatedip"
	"junctor/pkg/fault"
	"junctor/pkg/history"
)

// maxAllocated bounds one allocation, as in the API.
const maxAllocated = 1000

func (c *cli) ipsAllocateCommand() *cobra.Command {
	var request dedicatedip.AllocateRequest
	cmd := &cobra.Command{
		Use:   "allocate ACCOUNT NUMBER",
		Short: "Assign a number of available addresses to an account",
		Long:  "Assigns a NUMBER of available addresses to an account, all or none. junctor\nchooses them.\n\n" + accountOperand,
		Args:  operands(2, 2),
	}
	nameVar(cmd.Flags(), &request.Zone, "zone", "`ZONE` of the addresses")
	cmd.Flags().BoolVar(&request.Spread, "spread", false, "take about as many from each zone")
	accept := defineAcceptCharges(cmd)
	return c.storeCommand(cmd, storeTask{
		check: func(args []string) (err error) {
			request.Quantity, err = strconv.Atoi(args[1])
			if err != nil || request.Quantity < 1 || request.Quantity > maxAllocated {
				return usageError("NUMBER must be from 1 to " + strconv.Itoa(maxAllocated))
			}
			if request.Spread && request.Zone != "" {
				return usageError("--zone and --spread exclude each other")
			}
			return nil
		},
		run: func(ctx context.Context, a *app, args []string) error {
			holder, err := a.accounts.Find(ctx, args[0])
			if err != nil {
				return err
			}
			request.Account, request.Approve, request.By = holder.ID, a.approve(holder.ID, *accept), c.actor(history.CLI)
			ips, err := a.pool.Allocate(ctx, request)
			return c.printIPs(ctx, a, ips, tooFew(err, request))
		},
	})
}

// tooFew words the error of an allocation that asked for more than there is.
func tooFew(err error, r dedicatedip.AllocateRequest) error {
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil || f.Kind != fault.Conflict {
		return err
	}
	data, _ := f.Data.(map[string]any)
	available, known := data["available"]
	if !known {
		return err
	}
	where := ""
	if r.Zone != "" {
		where = " in zone " + r.Zone
	}
	return fmt.Errorf("nothing is assigned: of the %d addresses asked for %v are available%s", r.Quantity, available, where)
}
