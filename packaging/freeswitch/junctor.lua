-- For FreeSWITCH 1.10 with mod_lua, mod_curl and mod_hash, written from its documentation. Not tried.
-- In the dialplan: <action application="lua" data="junctor.lua"/>. A call from a cluster continues with the variable
-- junctor_cluster; one from elsewhere is refused with 403.

local url = "http://127.0.0.1:8000/v2"
local key = "KEY"
local stale_for = 3600 -- seconds for which the last response is used while junctor is away

local api = freeswitch.API()
local json = freeswitch.JSON()
local source = session:getVariable("sip_network_ip")

-- The hash has "TIME CLUSTER" for each address: until when junctor need not be asked, and "-" for no cluster. Slashes
-- separate the arguments of "hash", so that neither may have one.
local entry = "junctor/" .. source
local known = api:executeString("hash select/" .. entry) or ""
local fresh_until, cluster = known:match("^(%d+) (%S+)")
fresh_until = tonumber(fresh_until) or 0

if os.time() >= fresh_until then
  local body = api:executeString("curl " .. url .. "/routing/lookup?direction=outbound&ip=" .. source ..
    " timeout 2 append_headers X-Auth-Token:" .. key)
  local good, response = pcall(function() return json:decode(body) end)
  if good and type(response) == "table" and response.status == "success" then
    cluster = response.data and response.data[1] and response.data[1].cluster_id or "-"
    api:executeString(string.format("hash insert/%s/%d %s", entry, os.time() + response.max_age_s, cluster))
  elseif os.time() >= fresh_until + stale_for then
    cluster = nil
  end
end

if cluster == nil then
  session:execute("respond", "503 Try Again Later")
elseif cluster == "-" then
  session:execute("respond", "403 Forbidden")
else
  session:setVariable("junctor_cluster", cluster)
end
