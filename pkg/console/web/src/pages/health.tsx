import { get } from '../api'
import { count } from '../time'
import { Button, Failure, Loading, Text, useLoad, useTitle } from '../ui/parts'

export function Health() {
  useTitle('Health')
  const { data, error, loading, reload } = useLoad(
    (signal) => get<Record<string, unknown>>('ips/health', undefined, signal), [])
  return (
    <>
      <div class="head">
        <h1>Health</h1>
        <Button onClick={reload} busy={loading}>Refresh</Button>
      </div>
      {error && <Failure error={error} retry={reload} />}
      {data ? <pre>{JSON.stringify(data.data, null, 2)}</pre> : !error && <Loading />}
    </>
  )
}
void count
void Text
