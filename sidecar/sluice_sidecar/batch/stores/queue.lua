-- Every change of the queue, each whole or not at all. KEYS[1]: what all keys begin with, ARGV[1]: which change.
-- A request is named SEQ:LINE. Its record (q) is a 16-byte prefix key and LANE:OFFSET:LENGTH:CUSTOM_ID; its state (d)
-- is "STATE TOKEN ATTEMPT", absent until it is claimed. Both lie in hashes of 128 lines, which Redis packs densely.
local P, call = KEYS[1], redis.call
local QUEUED, RUNNING, WAITING, DONE = 0, 1, 2, 3
local COUNTED = {[3] = 'completed', [4] = 'failed', [5] = 'cancelled', [6] = 'expired'}
local BUCKETS, MANY = 16, 1000 -- of one step: nobody waits long for Redis

local function bucket(kind, seq, line) return P .. kind .. ':' .. seq .. ':' .. math.floor(line / 128) end
local function whole(n) return string.format('%.0f', n) end
local function batch(seq) return P .. 'b:' .. seq end
local function field(seq, name) return call('HGET', batch(seq), name) end
local function number(seq, name) return tonumber(field(seq, name) or 0) or 0 end

local function state(seq, line)
  local found = call('HGET', bucket('d', seq, line), line)
  if not found then return QUEUED, 0, 0 end
  local s, t, a = string.match(found, '^(%d+) (%d+) (%-?%d+)$')
  return tonumber(s), tonumber(t), tonumber(a)
end
local function become(seq, line, s, token, attempt)
  call('HSET', bucket('d', seq, line), line, s .. ' ' .. whole(token) .. ' ' .. whole(attempt))
end
local function record(seq, line)
  local found = call('HGET', bucket('q', seq, line), line)
  if not found then return nil end
  return string.sub(found, 1, 16), string.match(string.sub(found, 17), '^(%d+)')
end
local function place(seq, line, urgency, prefix) -- lexicographic: urgency, batch, prefix, line
  return urgency .. string.format('%013x', seq) .. prefix .. string.format('%05x', line)
end
local function enqueue(seq, line)
  local prefix, lane = record(seq, line)
  call('ZADD', P .. 'z:' .. lane, 0, place(tonumber(seq), tonumber(line), field(seq, 'urgency'), prefix))
  return lane
end
local function move(lane, queued, running)
  local key = P .. 'l:' .. lane
  local q = call('HINCRBY', key, 'queued', queued)
  local r = call('HINCRBY', key, 'running', running)
  if queued ~= 0 then
    call('INCRBY', P .. 'waiting', queued)
    local tenant = call('HGET', key, 'tenant')
    if call('HINCRBY', P .. 'waits', tenant, queued) == 0 then call('HDEL', P .. 'waits', tenant) end
  end
  call((q == 0 and r == 0) and 'SREM' or 'SADD', P .. 'active', lane)
end
local function finished(seq)
  local n = number(seq, 'completed') + number(seq, 'failed') + number(seq, 'cancelled') + number(seq, 'expired')
  return n >= number(seq, 'total')
end
local function close(seq, now)
  for _, name in ipairs({'open', 'due', 'made', 'unread', 'ripe'}) do call('ZREM', P .. name, seq) end
  call('HSET', batch(seq), 'ended', now)
  call('ZADD', P .. 'ended', now, seq)
  local input = field(seq, 'input')
  if input ~= '' and call('HINCRBY', P .. 'uses', input, -1) <= 0 then call('HDEL', P .. 'uses', input) end
end
local function counted(seq, now) -- after requests of a batch came to their end
  if not field(seq, 'begun') or field(seq, 'ended') or not finished(seq) then return end
  if field(seq, 'kind') ~= 'single' then
    call('ZADD', P .. 'ripe', seq, seq)
    return
  end
  local status = number(seq, 'cancelled') > 0 and 'cancelled' or number(seq, 'expired') > 0 and 'expired' or 'completed'
  call('HSET', batch(seq), 'status', status)
  close(seq, now)
end
local function step(seq, now) -- ends some of what waits of a batch; 1: there is more
  local ending, at = tonumber(field(seq, 'giving') or 0), number(seq, 'cursor')
  if ending == 0 or not ending then
    call('SREM', P .. 'giving', seq)
    return 0
  end
  local last, lanes, total = math.floor(number(seq, 'top') / 128), {}, 0
  local stop = math.min(last, at + BUCKETS - 1)
  for b = at, stop do
    for _, line in ipairs(call('HKEYS', P .. 'q:' .. seq .. ':' .. b)) do
      local s, token, attempt = state(seq, line)
      if s == QUEUED or s == WAITING then
        local prefix, lane = record(seq, line)
        if s == QUEUED then
          local member = place(tonumber(seq), tonumber(line), field(seq, 'urgency'), prefix)
          call('ZREM', P .. 'z:' .. lane, member)
        else
          call('ZREM', P .. 'pauses', seq .. ':' .. line)
        end
        become(seq, line, ending, token, attempt)
        lanes[lane], total = (lanes[lane] or 0) + 1, total + 1
      end
    end
  end
  for lane, n in pairs(lanes) do move(lane, -n, 0) end
  call('HINCRBY', batch(seq), COUNTED[ending], total)
  if stop < last then
    call('HSET', batch(seq), 'cursor', stop + 1)
    return 1
  end
  call('HDEL', batch(seq), 'giving', 'cursor')
  call('SREM', P .. 'giving', seq)
  counted(seq, now)
  return 0
end
local function give(seq, ending)
  if field(seq, 'giving') then return end
  call('HSET', batch(seq), 'giving', ending, 'cursor', 0)
  call('SADD', P .. 'giving', seq)
end
local function begin(seq, total, now)
  if field(seq, 'begun') or field(seq, 'ended') then return end
  if field(seq, 'status') == 'validating' then call('HSET', batch(seq), 'status', 'in_progress') end
  call('HSET', batch(seq), 'begun', now, 'total', total)
  call('ZREM', P .. 'unread', seq)
  if field(seq, 'cancelling') then give(seq, 5) end
  counted(seq, now)
end
local function put(seq, tenant, from)
  if field(seq, 'begun') or field(seq, 'ended') or call('EXISTS', batch(seq)) == 0 then return 0 end
  local lanes, added, top = {}, {}, number(seq, 'top')
  for at = from, #ARGV, 3 do
    local route, line, rest = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local lane = lanes[route]
    if not lane then
      local name = route .. '\0' .. tenant
      lane = call('HGET', P .. 'lanes', name)
      if not lane then
        lane = whole(call('INCR', P .. 'lane'))
        call('HSET', P .. 'lanes', name, lane)
        call('HSET', P .. 'l:' .. lane, 'route', route, 'tenant', tenant, 'queued', 0, 'running', 0, 'turn', 0)
      end
      lanes[route] = lane
    end
    local kept = string.sub(rest, 1, 16) .. lane .. ':' .. string.sub(rest, 17)
    if call('HSETNX', bucket('q', seq, line), line, kept) == 1 then
      enqueue(seq, line)
      added[lane] = (added[lane] or 0) + 1
      top = math.max(top, tonumber(line))
    end
  end
  for lane, n in pairs(added) do move(lane, n, 0) end
  call('HSET', batch(seq), 'top', top)
  return 1
end
local function drop(seq)
  for b = 0, math.floor(number(seq, 'top') / 128) do
    local tail = seq .. ':' .. b
    call('UNLINK', P .. 'q:' .. tail, P .. 'd:' .. tail, P .. 'r:' .. tail)
  end
  call('UNLINK', P .. 'body:' .. seq)
end
local function remove(seq)
  drop(seq)
  call('HDEL', P .. 'ids', field(seq, 'id'))
  call('ZREM', P .. 't:' .. field(seq, 'kind') .. ':' .. field(seq, 'tenant'), seq)
  call('ZREM', P .. 'ended', seq)
  call('UNLINK', batch(seq))
end
local function keep_file(doc)
  local file = cjson.decode(doc)
  call('SET', P .. 'f:' .. file.id, doc)
  call('ZADD', P .. 'files:' .. file.tenant, file.created, file.id)
  call('ZADD', P .. 'expiries', file.expires, file.id)
end
local function shown(seq) return {seq, call('HGETALL', batch(seq))} end
local function add(doc, key, digest, kept) -- {answer, seq}
  local made = cjson.decode(doc)
  if key ~= '' then
    local before = call('GET', P .. 'k:' .. key)
    if before then
      if string.sub(before, 1, #digest) ~= digest then return {'reused'} end
      local seq = call('HGET', P .. 'ids', string.sub(before, #digest + 1))
      if seq then return {'known', seq} end
    end
    call('SET', P .. 'k:' .. key, digest .. made.id, 'EX', kept)
  end
  local seq = whole(call('INCR', P .. 'seq'))
  call('HSET', batch(seq), 'doc', doc, 'id', made.id, 'tenant', made.tenant, 'kind', made.kind, 'input', made.input,
    'urgency', whole(made.urgency), 'status', made.status, 'note', made.note)
  call('HSET', P .. 'ids', made.id, seq)
  call('ZADD', P .. 't:' .. made.kind .. ':' .. made.tenant, seq, seq)
  call('ZADD', P .. 'due', made.expires, seq)
  call('ZADD', P .. 'made', made.created, seq)
  if made.kind ~= 'single' then
    call('ZADD', P .. 'open', seq, seq)
    call('ZADD', P .. 'unread', seq, seq)
  end
  if made.input ~= '' then call('HINCRBY', P .. 'uses', made.input, 1) end
  return {'made', seq}
end
local function held(seq, line, token)
  local s, t, attempt = state(seq, line)
  return s == RUNNING and t == tonumber(token), attempt
end
local function share(rows, count) -- one at a time to the lane that then runs least
  for _ = 1, count do
    local least
    for _, row in ipairs(rows) do
      if row.share < row.queued and (not least or row.running + row.share < least.running + least.share) then
        least = row
      end
    end
    if not least then return end
    least.share = least.share + 1
  end
end
local function first(lane, count, most)
  local key, found = P .. 'z:' .. lane, {}
  if not most then
    local popped = call('ZPOPMIN', key, count)
    for at = 1, #popped, 2 do found[#found + 1] = popped[at] end
    return found
  end
  for urgency = 0, 7 do
    if #found >= count then break end
    local stop = '(' .. urgency .. string.format('%013x', most + 1)
    for _, member in ipairs(call('ZRANGEBYLEX', key, '[' .. urgency, stop, 'LIMIT', 0, count - #found)) do
      found[#found + 1] = member
    end
  end
  if #found > 0 then call('ZREM', key, unpack(found)) end
  return found
end

local ops = {}
function ops.add_file() keep_file(ARGV[2]) end
function ops.file()
  return call('ZSCORE', P .. 'files:' .. ARGV[2], ARGV[3]) and call('GET', P .. 'f:' .. ARGV[3])
end
function ops.files()
  local docs = {}
  for _, id in ipairs(call('ZRANGE', P .. 'files:' .. ARGV[2], 0, -1)) do
    docs[#docs + 1] = call('GET', P .. 'f:' .. id) or nil
  end
  return docs
end
function ops.remove_file()
  if call('ZREM', P .. 'files:' .. ARGV[2], ARGV[3]) == 0 then return 0 end
  call('ZADD', P .. 'expiries', 0, ARGV[3])
  return 1
end
function ops.add() return add(ARGV[2], ARGV[3], ARGV[4], ARGV[5]) end
function ops.accept() -- doc, key, digest, kept, most of a tenant, most of all, now, body, then one entry
  local tenant = cjson.decode(ARGV[2]).tenant
  local of_tenant = tonumber(call('HGET', P .. 'waits', tenant) or 0)
  local of_all = tonumber(call('GET', P .. 'waiting') or 0)
  if ARGV[3] == '' or call('EXISTS', P .. 'k:' .. ARGV[3]) == 0 then
    if of_tenant >= tonumber(ARGV[6]) then return {'full', whole(of_tenant), ARGV[6], 'of yours '} end
    if of_all >= tonumber(ARGV[7]) then return {'full', whole(of_all), ARGV[7], ''} end
  end
  local made = add(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
  if made[1] == 'made' then
    call('SET', P .. 'body:' .. made[2], ARGV[9])
    put(made[2], tenant, 10)
    begin(made[2], 1, ARGV[8])
  end
  return made
end
function ops.batch()
  local seq = call('HGET', P .. 'ids', ARGV[2])
  return seq and shown(seq) or false
end
function ops.by_seq() return call('EXISTS', batch(ARGV[2])) == 1 and shown(ARGV[2]) or false end
function ops.batches() -- tenant, kind, after, before, limit
  local key, found = P .. 't:' .. ARGV[3] .. ':' .. ARGV[2], {}
  local upper, lower, seqs = '+inf', '-inf', nil
  for at, bound in pairs({[4] = 'after', [5] = 'before'}) do
    if ARGV[at] ~= '' then
      local seq = call('HGET', P .. 'ids', ARGV[at])
      if not seq or not call('ZSCORE', key, seq) then return found end
      if bound == 'after' then upper = '(' .. seq else lower = '(' .. seq end
    end
  end
  if ARGV[5] ~= '' then
    seqs = call('ZRANGEBYSCORE', key, lower, upper, 'LIMIT', 0, ARGV[6])
    for at = #seqs, 1, -1 do found[#found + 1] = shown(seqs[at]) end
  else
    seqs = call('ZREVRANGEBYSCORE', key, upper, lower, 'LIMIT', 0, ARGV[6])
    for _, seq in ipairs(seqs) do found[#found + 1] = shown(seq) end
  end
  return found
end
function ops.listed() -- unread or ripe
  local found = {}
  for _, seq in ipairs(call('ZRANGE', P .. ARGV[2], 0, MANY - 1)) do found[#found + 1] = shown(seq) end
  return found
end
function ops.overdue()
  local found = {}
  for _, seq in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[2])) do
    if #found >= tonumber(ARGV[3]) then break end
    if field(seq, 'status') == 'in_progress' and not finished(seq) then found[#found + 1] = seq end
  end
  return found
end
function ops.fail()
  local seq = ARGV[2]
  if call('EXISTS', batch(seq)) == 0 or field(seq, 'begun') or field(seq, 'ended') then return 0 end
  call('HSET', batch(seq), 'status', 'failed', 'note', ARGV[3])
  close(seq, ARGV[4])
  return 1
end
function ops.finalize()
  local seq = ARGV[2]
  if not field(seq, 'begun') or field(seq, 'ended') or not finished(seq) then return false end
  if field(seq, 'status') == 'in_progress' then call('HSET', batch(seq), 'status', 'finalizing') end
  call('HSET', batch(seq), 'finalizing', ARGV[3])
  return shown(seq)
end
function ops.finish() -- seq, now, output, errors: a file each, or nothing
  local seq, ids = ARGV[2], {'output', 'errors'}
  if call('EXISTS', batch(seq)) == 0 or field(seq, 'ended') then return 0 end
  for at, name in ipairs(ids) do
    if ARGV[at + 3] ~= '' then
      keep_file(ARGV[at + 3])
      call('HSET', batch(seq), name, cjson.decode(ARGV[at + 3]).id)
    end
  end
  local status = field(seq, 'cancelling') and 'cancelled' or number(seq, 'expired') > 0 and 'expired' or 'completed'
  call('HSET', batch(seq), 'status', status)
  close(seq, ARGV[3])
  drop(seq)
  return 1
end
function ops.finished() -- seq, bucket: records, states and results of 128 lines
  local tail = ARGV[2] .. ':' .. ARGV[3]
  local more = tonumber(ARGV[3]) < math.floor(number(ARGV[2], 'top') / 128) and 1 or 0
  return {more, call('HGETALL', P .. 'q:' .. tail), call('HGETALL', P .. 'd:' .. tail), call('HGETALL', P .. 'r:' .. tail)}
end
function ops.result() return call('HGET', bucket('r', ARGV[2], 0), '0') end
function ops.body() return call('GET', P .. 'body:' .. ARGV[2]) end
function ops.put() return put(ARGV[2], ARGV[3], 4) end
function ops.begin()
  begin(ARGV[2], ARGV[3], ARGV[4])
  return call('SISMEMBER', P .. 'giving', ARGV[2])
end
function ops.cancel()
  local seq = ARGV[2]
  if call('EXISTS', batch(seq)) == 0 or field(seq, 'ended') or field(seq, 'cancelling') then return 0 end
  call('HSET', batch(seq), 'status', 'cancelling', 'cancelling', ARGV[3])
  if not field(seq, 'begun') then return 0 end
  give(seq, 5)
  return step(seq, ARGV[3])
end
function ops.give_up()
  if call('EXISTS', batch(ARGV[2])) == 0 or field(ARGV[2], 'ended') then return 0 end
  give(ARGV[2], ARGV[3])
  return step(ARGV[2], ARGV[4])
end
function ops.step() return step(ARGV[2], ARGV[3]) end
function ops.remove()
  if field(ARGV[2], 'ended') then remove(ARGV[2]) end
end
function ops.forget() -- now, kept
  local now, gone = tonumber(ARGV[2]), {}
  for _, seq in ipairs(call('ZRANGEBYSCORE', P .. 'ended', '-inf', '(' .. whole(now - ARGV[3]), 'LIMIT', 0, 50)) do
    remove(seq)
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'expiries', '-inf', '(' .. ARGV[2])) do
    if #gone >= MANY then break end
    if call('HEXISTS', P .. 'uses', id) == 0 then
      local doc = call('GET', P .. 'f:' .. id)
      if doc then call('ZREM', P .. 'files:' .. cjson.decode(doc).tenant, id) end
      call('UNLINK', P .. 'f:' .. id)
      call('ZREM', P .. 'expiries', id)
      gone[#gone + 1] = id
    end
  end
  return gone
end
function ops.lanes()
  local found = {}
  for _, lane in ipairs(call('SMEMBERS', P .. 'active')) do
    found[#found + 1] = {lane, call('HMGET', P .. 'l:' .. lane, 'route', 'tenant', 'queued', 'running')}
  end
  return found
end
function ops.waiting()
  if #ARGV == 1 then return tonumber(call('GET', P .. 'waiting') or 0) end
  return tonumber(call('HGET', P .. 'waits', ARGV[2]) or 0)
end
function ops.claim() -- count, until, made before, lanes
  local rows, most = {}, nil
  if ARGV[4] ~= '' then most = tonumber(call('ZREVRANGEBYSCORE', P .. 'made', ARGV[4], '-inf', 'LIMIT', 0, 1)[1] or -1) end
  for at = 5, #ARGV do
    local found = call('HMGET', P .. 'l:' .. ARGV[at], 'queued', 'running', 'turn')
    local queued = tonumber(found[1] or 0)
    if queued > 0 then
      rows[#rows + 1] = {
        lane = ARGV[at], queued = queued, running = tonumber(found[2]), turn = tonumber(found[3]), share = 0}
    end
  end
  table.sort(rows, function(a, b)
    if a.running ~= b.running then return a.running < b.running end
    if a.turn ~= b.turn then return a.turn < b.turn end
    return tonumber(a.lane) < tonumber(b.lane)
  end)
  share(rows, tonumber(ARGV[2]))
  local tasks, batches, seen = {}, {}, {}
  for _, row in ipairs(rows) do
    local got = row.share > 0 and first(row.lane, row.share, most) or {}
    for _, member in ipairs(got) do
      local seq, line = whole(tonumber(string.sub(member, 2, 14), 16)), whole(tonumber(string.sub(member, 31, 35), 16))
      local _, token, attempt = state(seq, line)
      become(seq, line, RUNNING, token + 1, attempt + 1)
      call('ZADD', P .. 'leases', ARGV[3], seq .. ':' .. line)
      tasks[#tasks + 1] = {
        seq, line, token + 1, attempt + 1, call('HGET', bucket('q', seq, line), line), call('HGET', P .. 'l:' .. row.lane, 'route')}
      if not seen[seq] then
        seen[seq] = true
        batches[#batches + 1] = shown(seq)
      end
    end
    if #got > 0 then
      move(row.lane, -#got, #got)
      call('HSET', P .. 'l:' .. row.lane, 'turn', call('INCR', P .. 'turn'))
    end
  end
  return {tasks, batches}
end
function ops.settle() -- seq, line, token, state, now, result
  local seq, line = ARGV[2], ARGV[3]
  local holds, attempt = held(seq, line, ARGV[4])
  if not holds then return 0 end
  call('ZREM', P .. 'leases', seq .. ':' .. line) -- first: no memory is asked for, so a full server takes the rest too
  call('HSET', bucket('r', seq, line), line, ARGV[7])
  become(seq, line, ARGV[5], ARGV[4], attempt)
  local _, lane = record(seq, line)
  move(lane, 0, -1)
  call('HINCRBY', batch(seq), COUNTED[tonumber(ARGV[5])], 1)
  counted(seq, ARGV[6])
  return 1
end
function ops.put_back() -- seq, line, token, ready or nothing
  local seq, line = ARGV[2], ARGV[3]
  local holds, attempt = held(seq, line, ARGV[4])
  if not holds then return 0 end
  call('ZREM', P .. 'leases', seq .. ':' .. line)
  local _, lane = record(seq, line)
  if ARGV[5] == '' then
    enqueue(seq, line)
    become(seq, line, QUEUED, ARGV[4], attempt - 1)
  else
    call('ZADD', P .. 'pauses', ARGV[5], seq .. ':' .. line)
    become(seq, line, WAITING, ARGV[4], attempt)
  end
  move(lane, 1, -1)
  return 1
end
function ops.renew() -- until, then seq, line, token of each
  for at = 3, #ARGV, 3 do
    if held(ARGV[at], ARGV[at + 1], ARGV[at + 2]) then
      call('ZADD', P .. 'leases', ARGV[2], ARGV[at] .. ':' .. ARGV[at + 1])
    end
  end
end
function ops.ripen() -- now, longest lease, longest pause; 1: there is more
  local now, more = tonumber(ARGV[2]), 0
  for at, name in ipairs({'leases', 'pauses'}) do
    local key, longest = P .. name, whole(now + ARGV[at + 2])
    -- Beyond what any lease can be: the clock that it was given by has moved back since.
    for _, one in ipairs(call('ZRANGEBYSCORE', key, '(' .. longest, '+inf', 'LIMIT', 0, MANY)) do
      call('ZADD', key, longest, one)
    end
    local over = call('ZRANGEBYSCORE', key, '-inf', ARGV[2], 'LIMIT', 0, MANY)
    for _, one in ipairs(over) do
      local seq, line = string.match(one, '^(%d+):(%d+)$')
      local _, token, attempt = state(seq, line)
      call('ZREM', key, one)
      local lane = enqueue(seq, line)
      become(seq, line, QUEUED, token, attempt)
      if name == 'leases' then move(lane, 1, -1) end
    end
    if #over == MANY then more = 1 end
  end
  local giving = call('SRANDMEMBER', P .. 'giving')
  if giving then more = math.max(more, step(giving, ARGV[2])) end
  return more
end
function ops.position()
  local seq = ARGV[2]
  local _, lane = record(seq, 0)
  if not lane then return false end
  local ahead = call('ZLEXCOUNT', P .. 'z:' .. lane, '-', '(' .. field(seq, 'urgency') .. string.format('%013x', seq))
  return {(state(seq, 0)), call('HGET', P .. 'l:' .. lane, 'route'), ahead}
end
return ops[ARGV[1]]()
