package main

import (
	"context"
	"flag"
	"fmt"

	"junctor/pkg/fault"
)

const supModule = "kazoo_ips_maintenance"

func defineSup(*flag.FlagSet) task {
	return func(ctx context.Context, w *workplace, p *process, operands []string) error {
		if len(operands) < 2 {
			return usageError("sup: a module and a function of it are needed, as in \"sup " + supModule + " add\"")
		}
		module, function, args := operands[0], operands[1], operands[2:]
		switch {
		case module != supModule:
			return fmt.Errorf("sup: unknown module %q: there is only %s", module, supModule)
		case function != "add":
			return fmt.Errorf("sup: unknown function %q: of %s there is only add", function, supModule)
		}
		return supAdd(ctx, w, p, args)
	}
}

// supAdd is kazoo_ips_maintenance:add. The texts are Kazoo's, and as there an address that is known already is said
// so and no failure. Unlike there, what is no address is refused.
func supAdd(ctx context.Context, w *workplace, p *process, args []string) error {
	const usage = "Please use: sup " + supModule + " add <ip> <zone> <host>"
	switch len(args) {
	case 0:
		_, err := fmt.Fprintln(p.stdout, usage)
		return err
	case 3:
	default:
		return usageError(usage)
	}
	ip := args[0]
	_, err := w.pool.Create(ctx, map[string]any{"ip": ip, "zone": args[1], "host": args[2]})
	if fault.Is(err, fault.Conflict) {
		_, err = fmt.Fprintf(p.stdout, "unable to add IP %s: conflict\n", ip)
		return err
	}
	if fault.Is(err, fault.Invalid) {
		return fmt.Errorf("unable to add IP %s: it has to be an IP address, with a zone and a host", ip)
	}
	if err != nil {
		return fmt.Errorf("unable to add IP %s: %w", ip, err)
	}
	_, err = fmt.Fprintf(p.stdout, "added IP %s to available dedicated ips\n", ip)
	return err
}
