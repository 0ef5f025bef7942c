//! Log messages in Chinese, by their English text. A test compares the table with the messages in the code of all crates.

/// English, Chinese; in the order of the rooms.
pub(super) const MESSAGES: &[(&str, &str)] = &[
    // hissrv: start and stop.
    ("configuration read", "已读取配置文件"),
    ("no configuration file, so built-in defaults are used", "未找到配置文件，使用内置默认值"),
    ("hissrv is running", "hissrv 已启动"),
    ("stopping: a second signal stops at once", "正在停止；再次收到信号将立即退出"),
    ("connections were cut because their requests took too long", "部分请求耗时过长，其连接已被切断"),
    (
        "the stop took too long; what is not in files yet is in the journal",
        "停止超时；尚未写入数据文件的数据已保存在预写日志中",
    ),
    (
        "stopped at once by a second signal; what was acknowledged is in the journal",
        "再次收到信号，立即退出；已确认的数据均在预写日志中",
    ),
    ("stopped", "已停止"),
    ("the Redis source did not stop in time", "Redis 数据源未能按时停止"),
    // hissrv: what opening the data found.
    ("damage in the catalog", "名称目录损坏"),
    ("names were lost: both copies of the catalog are damaged there", "部分名称丢失：名称目录的两份副本在同一处损坏"),
    ("damage in the store; everything else stays readable", "存储中有损坏；其余数据仍可读取"),
    ("the journal is gone; values that were not in files yet are lost", "预写日志已不存在；尚未写入数据文件的值已丢失"),
    (
        "the journal did not end with a whole record and was cut there: a write that a crash interrupted, or damage to the last one",
        "预写日志末尾不是完整的记录，已在该处截断：可能是崩溃打断的写入，也可能是最后一条记录损坏",
    ),
    ("damage in the journal; its other records are taken in", "预写日志中有损坏；其余记录照常读入"),
    (
        "the journal's cursor is damaged; it starts at the first record that is kept",
        "预写日志的游标损坏；将从保留的第一条记录开始",
    ),
    ("journal opened", "预写日志已打开"),
    // hissrv: from time to time.
    ("values past their retention were removed", "已删除超过保留期限的数据"),
    (
        "values past their retention could not be removed; tried again in a minute",
        "无法删除超过保留期限的数据；一分钟后重试",
    ),
    (
        "values past their retention are held back, since they are still needed",
        "部分数据已超过保留期限，但仍被需要，暂缓删除",
    ),
    ("no values past their retention are held back any more", "不再有超过保留期限而暂缓删除的数据"),
    ("the housekeeping thread had panicked", "定期维护线程异常退出"),
    ("a continuous query failed; it is run again at its next time", "连续查询执行失败；将在下一个执行时刻再次运行"),
    // hissrv: export.
    ("an export lacks what is damaged in the store", "导出结果缺少存储中已损坏的部分"),
    // hissrv: demo.
    ("a simulated plant publishes to Redis", "模拟电站正在向 Redis 发布数据"),
    ("no Redis answers, so the simulated plant runs in process", "没有可用的 Redis，模拟电站在进程内运行"),
    ("the simulated plant ended", "模拟电站已结束"),
    ("the simulated plant had panicked", "模拟电站线程异常退出"),
    // journal
    ("the journal is poisoned until restart", "预写日志写盘失败，重启前不再接受写入"),
    ("the journal's committer thread panicked", "预写日志的提交线程异常退出"),
    ("cannot delete a journal segment", "无法删除预写日志段文件"),
    ("cannot begin an empty journal segment; the passed one stays", "无法新建空的预写日志段；已处理完的段暂不删除"),
    (
        "no space to begin another segment; the passed one stays until there is",
        "磁盘空间不足，无法新建预写日志段；已处理完的段暂不删除，直至有空间",
    ),
    ("cannot sync the journal's folder", "无法将预写日志文件夹同步到磁盘"),
    // pipeline
    ("the applier had panicked", "写入存储的线程异常退出"),
    ("the journal cannot be read; trying again", "无法读取预写日志，将重试"),
    ("a journal record was passed over", "跳过了一条预写日志记录"),
    ("records of the journal were lost before the engine had them", "部分预写日志记录在写入存储之前丢失"),
    ("the journal's cursor could not be moved; trying again", "无法推进预写日志游标，将重试"),
    ("files of something dropped could not be removed yet", "已删除对象的数据文件暂时无法移除"),
    (
        "the last values could not be written to files; the journal keeps them",
        "最后的数据未能写入数据文件；已保留在预写日志中",
    ),
    // writer: values to stores in other processes.
    ("values reach the store", "数据已能写入该存储"),
    (
        "the store cannot be written to; values stay in the journal until it can",
        "该存储无法写入；恢复之前数据保留在预写日志中",
    ),
    (
        "the store refuses values until its settings or ours are changed; they stay in the journal",
        "该存储拒绝写入，需修改其设置或本机设置；数据保留在预写日志中",
    ),
    (
        "the store was started anew and may have lost its last values; they are sent once more",
        "该存储已重新启动，可能丢失了最后的数据；将再次发送",
    ),
    ("the store was brought in step", "已在该存储中建立或修改设置"),
    ("the store cannot be brought in step", "无法在该存储中建立所需的设置"),
    ("live values go first; the others follow", "新数据优先发送；其余随后补发"),
    ("the backlog is made up for", "积压数据已补发完毕"),
    ("values for the store were given up, as told", "已按指令放弃发往该存储的数据"),
    ("values that waited for a store were given up", "已放弃等待发往某存储的数据"),
    (
        "the journal keeps values for a store that is not configured any more; `hissrv store forget NAME` gives them up",
        "预写日志中仍为一个已不在配置中的存储保留数据；可用 `hissrv store forget 名称` 放弃",
    ),
    ("deletions are not forwarded to remote stores; delete there, too", "删除操作不会转发给远程存储；请在那里另行删除"),
    ("a journal record cannot be decoded; the rest of it was passed over", "一条预写日志记录无法解码，其余部分已跳过"),
    ("records of the journal were lost before the store had them", "部分预写日志记录在写入该存储之前丢失"),
    ("refused points cannot be put into the dead letters; trying again", "被拒绝的数据点无法存入死信，将重试"),
    ("the store refuses points for good; they are in the dead letters", "该存储永久拒绝部分数据点，已存入死信"),
    ("no space for dead letters; further ones are lost", "死信空间已用尽，后续死信将丢失"),
    ("cut off an unfinished dead letter", "已截断一条未写完的死信"),
    (
        "requests were still under way at the deadline; their values come again",
        "停止期限已到，部分请求尚未结束；其数据将再次发送",
    ),
    ("the books of the writer do not balance", "写入器的账目不平"),
    ("a thread of the writer had panicked", "写入器的线程异常退出"),
    ("values of a source are not accounted for", "某数据源的数据账目不平"),
    ("values of the embedded store are not accounted for", "内置存储的数据账目不平"),
    // backend: PostgreSQL.
    (
        "a view in PostgreSQL does not show all columns; it is tried again with the next new one",
        "PostgreSQL 中的一个视图未包含全部列；出现下一个新列时重试",
    ),
    ("TimescaleDB does not compress a table", "TimescaleDB 未能压缩一张表"),
    ("this edition of TimescaleDB does not compress", "该版本的 TimescaleDB 不支持压缩"),
    // engine
    (
        "values could not be written to a block file; they stay in memory and in the journal",
        "数据未能写入块文件；仍保留在内存和预写日志中",
    ),
    ("files could not be merged; they stay as they are", "数据文件合并失败；原文件保持不变"),
    ("a file is not merged any more because it is damaged", "数据文件已损坏，不再参与合并"),
    ("a file no longer needed could not be removed", "无法删除不再需要的数据文件"),
    ("a damaged file no longer needed could not be removed", "无法删除不再需要的已损坏数据文件"),
    ("an unfinished file could not be removed", "无法删除未完成的数据文件"),
    ("a thread of the engine had panicked", "存储引擎的线程异常退出"),
    // server
    ("HTTP server listens", "HTTP 服务已开始监听"),
    (
        "listening beyond this machine without authentication: everyone who reaches the port can read and write",
        "监听地址对外开放且没有身份验证：能访问该端口的任何人都可以读写数据",
    ),
    ("an export failed in the middle", "导出在中途失败"),
    ("HTTP server stopped before all requests had ended", "HTTP 服务已停止，部分请求尚未结束"),
    ("accept a connection", "接受连接失败"),
    ("the accept loop died", "接受连接的循环异常退出"),
    ("a connection's task died", "处理连接的任务异常退出"),
    ("request failed", "请求处理失败"),
    ("compress an answer", "压缩应答失败"),
    ("a query sent with async=true failed", "以 async=true 提交的查询执行失败"),
    // source
    ("subscribed", "已订阅"),
    ("subscription lost", "订阅中断"),
    ("subscription gap", "订阅期间有缺口"),
    ("poll failed", "轮询失败"),
    ("too many keys: not all are polled", "键过多：未能全部轮询"),
    ("malformed", "数据格式错误"),
    ("batch lost", "一批数据丢失"),
    ("simulator lost Redis", "模拟器与 Redis 的连接中断"),
    ("simulator's batch not taken", "模拟器的一批数据未被接收"),
    ("the ledger of rollups was damaged; what is doubtful is made anew", "降采样账本已损坏；有疑问的部分将重新计算"),
    ("names of rollups could not be made durable; trying again", "降采样的名称无法持久化；将重试"),
    ("rows of a rollup could not be made; trying again", "降采样的行无法生成；将重试"),
    (
        "the retention policies of a downsampling task do not exist; it waits until they are created",
        "降采样任务的保留策略不存在；任务将等待其创建",
    ),
    ("what rollups have to do could not be made durable; trying again", "降采样的待办无法持久化；将重试"),
    ("the thread of rollups had panicked", "降采样线程曾异常终止"),
    ("rows of rollups past their retention were removed", "超出保留期的降采样行已删除"),
    (
        "rows of rollups past their retention could not be removed; tried again in a minute",
        "超出保留期的降采样行无法删除；一分钟后重试",
    ),
    // archive
    ("the archive's list of days is damaged: every day is archived again", "归档日期列表已损坏：所有日期将重新归档"),
    (
        "which days are archived could not be made durable; they are archived again",
        "已归档日期的记录无法持久保存；这些日期将重新归档",
    ),
    ("a day could not be archived; it stays due", "有一天无法归档；仍待归档"),
    ("a day was archived without what is damaged in the store", "有一天已归档，但缺少存储中已损坏的部分"),
    ("not everything could be archived; tried again in ten minutes", "未能全部归档；十分钟后重试"),
    ("days were archived", "日期已归档"),
    ("the archiver had panicked", "归档线程曾异常终止"),
    // alerts
    ("a notification was refused and is given up", "一条通知被拒收，已放弃"),
    ("a test of notifications", "通知测试"),
    ("a thread of alerts had panicked", "告警线程异常退出"),
    ("an alert fires", "告警触发"),
    ("an alert is over", "告警已恢复"),
    ("an alert rule cannot be looked at; its alerts stay as they are", "无法检查告警规则；其告警保持原状"),
    (
        "an alert rule has more alerts than alerts.max_alerts; the others are not watched",
        "告警规则的告警数超过 alerts.max_alerts；其余序列不再监视",
    ),
    ("an alert rule is looked at again", "告警规则恢复检查"),
    ("lines of the alerts' file are damaged and left out", "告警文件中有损坏的行，已略过"),
    ("notifications are delivered again", "通知恢复送达"),
    ("notifications cannot be delivered; they are kept and tried again", "通知无法送达；已保留并将重试"),
    ("notifications could not be delivered for too long and are given up", "通知长时间无法送达，已放弃"),
    ("notifications wait for a channel that is gone; dropped", "有通知在等待已不存在的通道，已丢弃"),
    ("the alerts' file can be written again", "告警文件恢复写入"),
    (
        "the alerts' file cannot be written; notifications are sent all the same, a crash may repeat them",
        "告警文件无法写入；通知照常发送，崩溃后可能重复",
    ),
    (
        "alerts did not stop in time; what was under way may be delivered again",
        "告警未能按时停止；正在发送的通知可能再次送达",
    ),
];
