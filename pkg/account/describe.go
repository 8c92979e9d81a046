package account

import (
	"context"
	"maps"

	"junctor/pkg/document"
)

// defaultLanguage is Kazoo's own default (system_config/crossbar default_language).
const defaultLanguage = "en-US"

// Describe returns what a login says of an account besides its token (crossbar_util populate_resp). Apps and
// the UI's configuration are other modules' and always empty here, and there is no voicemail to transcribe.
func (d *Directory) Describe(ctx context.Context, a *Account) (document.Document, error) {
	cluster, err := d.cluster(ctx, a)
	if err != nil {
		return nil, err
	}
	transcription := map[string]any{"default": false, "available": false}
	data := document.Document{
		"account_id":   a.ID,
		"account_name": a.Name,
		"apps":         []any{},
		"capabilities": map[string]any{"voicemail": map[string]any{"transcription": transcription}},
		"language":     defaultLanguage,
		"ui_config":    map[string]any{},
	}
	if a.Language != "" {
		data["language"] = a.Language
	}
	maps.Copy(data, cluster)
	return data, nil
}

// cluster returns what a login says of an account's place in its cluster.
func (d *Directory) cluster(ctx context.Context, a *Account) (document.Document, error) {
	id, err := d.ClusterID(ctx)
	if err != nil {
		return nil, err
	}
	master, err := d.Master(ctx)
	if err != nil {
		return nil, err
	}
	reseller, isReseller, err := d.Reseller(ctx, a)
	return document.Document{
		"cluster_id":        id,
		"is_master_account": a.ID == master,
		"is_reseller":       isReseller,
		"reseller_id":       reseller,
	}, err
}
