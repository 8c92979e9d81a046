package doctor

import (
	"context"

	"junctor/pkg/auth"
)

// signingKey checks that the key that signs tokens can be read.
func (e *examination) signingKey(ctx context.Context) Finding {
	current, err := e.config.Text(ctx, "auth", "system_key")
	if err != nil {
		return failed(err)
	}
	if current == "" {
		return broken("missing: the settings name no key", restart)
	}
	if err := auth.CheckKey(ctx, e.store, current); err != nil {
		return broken("the key that signs tokens can't be used: "+reason(err),
			"have Kazoo create a new one: PUT /v2/auth/keys/"+current+" {\"data\":{\"action\":\"reset_private_key\"}}")
	}
	return fine("key %s can be read", current)
}
