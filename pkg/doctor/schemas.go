package doctor

import (
	"context"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/schema"
)

// schemasDB is where Kazoo keeps its schemas.
const schemasDB = "system_schemas"

// kazooSchemas are those of what is served here.
var kazooSchemas = []string{"ip", "ips", "api_auth", "user_auth"}

// schemas looks at the cluster's own schemas. They are what clients are shown; what is sent here is judged by the
// bundled ones.
func (e *examination) schemas(ctx context.Context) Finding {
	const remedy = "\"sup crossbar_maintenance update_schemas\" writes Kazoo's again; " +
		"requests are judged by bundled ones, clients are shown the cluster's"
	var found []Finding
	for _, id := range kazooSchemas {
		_, err := e.schema(ctx, id)
		switch {
		case account.Missing(err):
			found = append(found, warning(id+" is not there", remedy))
			continue
		case err != nil:
			return failed(err)
		}
		if _, err := schema.Compile(id, func(id string) (document.Document, error) { return e.schema(ctx, id) }); err != nil {
			found = append(found, warning(id+" can't be used: "+reason(err), remedy))
		}
	}
	if whole, some := sum(found...); some {
		return whole
	}
	return fine("%d there, and they compile", len(kazooSchemas))
}

func (e *examination) schema(ctx context.Context, id string) (document.Document, error) {
	return e.store.Get(ctx, schemasDB, id)
}
