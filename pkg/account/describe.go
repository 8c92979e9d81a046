package account

import (
	"cmp"
	"context"

	"junctor/pkg/document"
)

// defaultLanguage is Kazoo's own default (system_config/crossbar default_language).
const defaultLanguage = "en-US"

// Describe returns what a login says of an account besides its token (crossbar_util populate_resp). Apps and
// the UI's configuration are other modules' and always empty here, and there is no voicemail to transcribe.
func (d *Directory) Describe(ctx context.Context, a *Account) (document.Document, error) {
	cluster, err := d.ClusterID(ctx)
	if err != nil {
		return nil, err
	}
	master, err := d.Master(ctx)
	if err != nil {
		return nil, err
	}
	reseller, isReseller, err := d.Reseller(ctx, a)
	if err != nil {
		return nil, err
	}
	transcription := map[string]any{"default": false, "available": false}
	return document.Document{
		"account_id":        a.ID,
		"account_name":      a.Name,
		"apps":              []any{},
		"capabilities":      map[string]any{"voicemail": map[string]any{"transcription": transcription}},
		"cluster_id":        cluster,
		"is_master_account": a.ID == master,
		"is_reseller":       isReseller,
		"language":          cmp.Or(a.Language, defaultLanguage),
		"reseller_id":       reseller,
		"ui_config":         map[string]any{},
	}, nil
}
