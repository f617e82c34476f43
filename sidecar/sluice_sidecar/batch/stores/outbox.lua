-- Webhooks on their way. A row (w:N) is a hash. What one tenant has waiting for one address lies in one queue (wq:), by
-- when it is due, and the queues lie in `wqueues` by their first: one that is left out costs the same however much is in
-- it. Of one batch to one address (wc:) the earliest alone stands in its queue.
local STEP, GONE = 500, 'the address has said that it wants no more'

local function row(n) return P .. 'w:' .. n end
local function names(n) -- a row's queue, what it has in common with the others of its batch, and of its address
  local tenant, origin, window, url, of = unpack(call('HMGET', row(n), 'tenant', 'origin', 'window', 'url', 'batch'))
  return table.concat({tenant, origin, window, url}, '\0'), of .. '\0' .. url, window .. '\0' .. url
end
local function parts(queue) -- tenant, origin, address
  return string.match(queue, '^(.-)%z(.-)%z.-%z(.*)$')
end
local function tally(s, address, by, note)
  local name = s .. '\0' .. address
  if call('HINCRBY', P .. 'wcounts', name, by) <= 0 then
    call('HDEL', P .. 'wcounts', name)
    call('HDEL', P .. 'wnotes', name)
  elseif note and note ~= '' then
    call('HSET', P .. 'wnotes', name, note)
  end
end
local function rank(queue)
  local first = call('ZRANGE', P .. 'wq:' .. queue, 0, 0, 'WITHSCORES')
  if first[1] then call('ZADD', P .. 'wqueues', first[2], queue) else call('ZREM', P .. 'wqueues', queue) end
end
local function order(queue, common)
  local waiting = call('ZRANGE', P .. 'wc:' .. common, 0, 1)
  if waiting[2] then call('ZREM', P .. 'wq:' .. queue, waiting[2]) end
  if waiting[1] then call('ZADD', P .. 'wq:' .. queue, call('HGET', row(waiting[1]), 'due'), waiting[1]) end
  rank(queue)
end
local function wait(n, due)
  local queue, common, address = names(n)
  call('HSET', row(n), 'state', 0, 'due', due)
  call('ZADD', P .. 'wc:' .. common, n, n)
  tally(0, address, 1)
  order(queue, common)
end
local function rest(n, s, note, address)
  local due, created = unpack(call('HMGET', row(n), 'due', 'created'))
  call('HSET', row(n), 'state', s, 'note', note)
  call('ZADD', P .. 'wsettled', due, n)
  if tonumber(s) ~= 1 then call('ZADD', P .. 'wlost', created, n) end
  tally(s, address, 1, note)
end
local function leave(n, s, note)
  local queue, common, address = names(n)
  call('ZREM', P .. 'wq:' .. queue, n) -- first: no memory is asked for, so a full server takes the rest too
  call('ZREM', P .. 'wc:' .. common, n)
  tally(0, address, -1)
  rest(n, s, note, address)
  order(queue, common)
end
local function keep(now, tenant, window, url, origin, of, ...)
  local n = whole(call('INCR', P .. 'wlast'))
  call('HSET', row(n), 'tenant', tenant, 'window', window, 'url', url, 'origin', origin, 'batch', of, 'created', now,
    'due', now, 'tries', 0, 'note', '', ...)
  call('ZADD', P .. 'wb:' .. of, n, n)
  call('ZADD', P .. 'wt:' .. tenant, n, n)
  if call('HEXISTS', P .. 'wends', url) == 1 then rest(n, 3, GONE, window .. '\0' .. url) else wait(n, now) end
  return n
end
local function again(n, now)
  local s, url = unpack(call('HMGET', row(n), 'state', 'url'))
  local queue, common, address = names(n)
  call('HDEL', P .. 'wends', url)
  if s == '0' then -- it may be under way: its claim stays good
    call('HSET', row(n), 'due', now)
    order(queue, common)
    return
  end
  call('ZREM', P .. 'wsettled', n)
  call('ZREM', P .. 'wlost', n)
  tally(s, address, -1)
  call('HSET', row(n), 'tries', 0)
  call('HDEL', row(n), 'first')
  wait(n, now)
end
local function claims(n, tries)
  local found = call('HMGET', row(n), 'state', 'tries')
  return found[1] == '0' and found[2] == tries
end
local function told(rows)
  local found = {}
  for at, n in ipairs(rows) do found[at] = {n, call('HGETALL', row(n))} end
  return found
end
local function left_out(from)
  local without = {}
  for at = from, #ARGV do without[ARGV[at]] = true end
  return function(tenant, origin, url) return without[url] or without[origin] or without['tenant ' .. tenant] end
end

function outbox.announce(seq, now) -- in the change that ends a batch: there is no end without its event
  local hook, tenant, id, kind, status, failed =
    unpack(call('HMGET', batch(seq), 'hook', 'tenant', 'id', 'kind', 'status', 'failed'))
  if not hook then return end
  hook = cjson.decode(hook)
  keep(now, tenant, hook.window, hook.url, hook.origin, id, 'base', hook.base, 'kind', kind, 'status', status,
    'failed', failed or 0)
end

function ops.hook_add() -- now, tenant, window, url, origin, batch, id, body
  if call('HEXISTS', P .. 'wids', ARGV[8]) == 1 then return 0 end
  local n = keep(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], 'id', ARGV[8], 'body', ARGV[9])
  call('HSET', P .. 'wids', ARGV[8], n)
  return 1
end
function ops.hook_claim() -- now, until, most, of one origin, of one tenant, looked at, then what is left out
  local now, looked, out = ARGV[2], tonumber(ARGV[7]), left_out(8)
  local due, at, page = {}, 0, nil
  repeat
    page = call('ZRANGEBYSCORE', P .. 'wqueues', '-inf', now, 'LIMIT', at, MANY)
    for _, queue in ipairs(page) do
      local tenant, origin, url = parts(queue)
      if looked > 0 and not out(tenant, origin, url) then
        local some = call('ZRANGEBYSCORE', P .. 'wq:' .. queue, '-inf', now, 'WITHSCORES', 'LIMIT', 0, looked)
        for i = 1, #some, 2 do
          due[#due + 1] = {n = some[i], at = tonumber(some[i + 1]), queue = queue, tenant = tenant, origin = origin}
        end
        looked = looked - #some / 2
      end
    end
    at = at + #page
  until #page < MANY or looked <= 0
  table.sort(due, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return tonumber(a.n) < tonumber(b.n)
  end)
  local origins, tenants, queues, found = {}, {}, {}, {}
  for _, one in ipairs(due) do
    if #found >= tonumber(ARGV[4]) then break end
    origins[one.origin] = (origins[one.origin] or 0) + 1
    if origins[one.origin] <= tonumber(ARGV[5]) then
      tenants[one.tenant] = (tenants[one.tenant] or 0) + 1
      if tenants[one.tenant] <= tonumber(ARGV[6]) then
        call('ZREM', P .. 'wq:' .. one.queue, one.n) -- first, as in `leave`
        call('ZADD', P .. 'wq:' .. one.queue, ARGV[3], one.n)
        call('HINCRBY', row(one.n), 'tries', 1)
        call('HSETNX', row(one.n), 'first', now)
        call('HSET', row(one.n), 'due', ARGV[3])
        queues[one.queue] = true
        found[#found + 1] = one.n
      end
    end
  end
  for queue in pairs(queues) do rank(queue) end
  return told(found)
end
function ops.hook_next() -- what is left out
  local at, out, page = 0, left_out(2), nil
  repeat
    page = call('ZRANGE', P .. 'wqueues', at, at + MANY - 1, 'WITHSCORES')
    for i = 1, #page, 2 do
      if not out(parts(page[i])) then return page[i + 1] end
    end
    at = at + MANY
  until #page < 2 * MANY
  return false
end
function ops.hook_settle() -- row, tries, state, note
  if claims(ARGV[2], ARGV[3]) then leave(ARGV[2], ARGV[4], ARGV[5]) end
end
function ops.hook_postpone() -- row, tries, due, tries from now on, first or nothing, note
  local n = ARGV[2]
  if not claims(n, ARGV[3]) then return end
  local queue, common, address = names(n)
  call('ZREM', P .. 'wq:' .. queue, n) -- first, as in `leave`
  call('HSET', row(n), 'due', ARGV[4], 'tries', ARGV[5], 'note', ARGV[7])
  if ARGV[6] == '' then call('HDEL', row(n), 'first') else call('HSET', row(n), 'first', ARGV[6]) end
  tally(0, address, 0, ARGV[7])
  order(queue, common)
end
function ops.hook_end() -- url, now; how many it ended, and whether there is more
  call('HSET', P .. 'wends', ARGV[2], ARGV[3])
  local ended = 0
  for _, queue in ipairs(call('ZRANGE', P .. 'wqueues', 0, -1)) do
    local _, _, url = parts(queue)
    while url == ARGV[2] and ended < STEP do
      local n = call('ZRANGE', P .. 'wq:' .. queue, 0, 0)[1]
      if not n then break end
      leave(n, 3, GONE)
      ended = ended + 1
    end
  end
  return {ended, ended == STEP and 1 or 0}
end
function ops.hook_replay() -- now, batch, tenant where it is given
  local count = 0
  for _, n in ipairs(call('ZRANGE', P .. 'wb:' .. ARGV[3], 0, -1)) do
    if not ARGV[4] or call('HGET', row(n), 'tenant') == ARGV[4] then
      again(n, ARGV[2])
      count = count + 1
    end
  end
  return count
end
function ops.hook_revive() -- now, since, how many are passed over, tenant where it is given; how many it revived, passed
  local revived, passed = 0, tonumber(ARGV[4])
  local found = call('ZRANGEBYSCORE', P .. 'wlost', ARGV[3], '+inf', 'LIMIT', passed, STEP)
  for _, n in ipairs(found) do
    if not ARGV[5] or call('HGET', row(n), 'tenant') == ARGV[5] then
      again(n, ARGV[2])
      revived = revived + 1
    else
      passed = passed + 1
    end
  end
  return {revived, passed, #found == STEP and 1 or 0}
end
function ops.hook_forget() -- before
  local found = call('ZRANGEBYSCORE', P .. 'wsettled', '-inf', '(' .. ARGV[2], 'LIMIT', 0, STEP)
  for _, n in ipairs(found) do
    local s, tenant, of, id = unpack(call('HMGET', row(n), 'state', 'tenant', 'batch', 'id'))
    local _, _, address = names(n)
    for _, key in ipairs({'wsettled', 'wlost', 'wb:' .. of, 'wt:' .. tenant}) do call('ZREM', P .. key, n) end
    if id then call('HDEL', P .. 'wids', id) end
    tally(s, address, -1)
    call('UNLINK', row(n))
  end
  return {#found, #found == STEP and 1 or 0}
end
function ops.hook_batch() return told(call('ZRANGE', P .. 'wb:' .. ARGV[2], 0, -1)) end
function ops.hook_tenant() -- tenant, limit, batch where it is given
  if not ARGV[4] then return told(call('ZREVRANGE', P .. 'wt:' .. ARGV[2], 0, ARGV[3] - 1)) end
  local found = {}
  for _, n in ipairs(call('ZREVRANGE', P .. 'wb:' .. ARGV[4], 0, -1)) do
    if #found < tonumber(ARGV[3]) and call('HGET', row(n), 'tenant') == ARGV[2] then found[#found + 1] = n end
  end
  return told(found)
end
function ops.hook_counts()
  return {call('HGETALL', P .. 'wcounts'), call('HGETALL', P .. 'wnotes'), call('ZRANGE', P .. 'wqueues', 0, -1, 'WITHSCORES')}
end
