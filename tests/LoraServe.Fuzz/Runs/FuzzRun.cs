using LoraServe.Fuzz.Seeds;
using LoraServe.Fuzz.Targets;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Runs;

/// <summary>Runs cases of a target one after another.</summary>
internal sealed class FuzzRun(FuzzTarget target)
{
    /// <summary>As much as a thread of the server's has, so that what overflows there does here.</summary>
    private const int StackBytes = 1_536 << 10;

    /// <summary>No case takes this long but one that never ends.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly RunReport _report = new(target.Name);
    private long _number;
    private int _done;

    /// <summary>Told of each case before it runs: the last one is at fault where the process ends.</summary>
    public Action<long>? Before { get; init; }

    /// <summary>Runs the cases of some numbers.</summary>
    /// <param name="first">The first number.</param>
    /// <param name="count">How many.</param>
    /// <param name="budget">Time after which no more begin.</param>
    public RunReport Execute(long first, int count, TimeSpan budget)
    {
        _ = target.Seeds;
        var thread = new Thread(() => Run(first, count, budget), StackBytes) { IsBackground = true, Name = target.Name };
        thread.Start();
        int done = -1;
        while (!thread.Join(s_patience))
        {
            if (done == (done = Volatile.Read(ref _done)))
            {
                long number = Volatile.Read(ref _number);
                _report.Add(new Finding(target.Name, number, $"takes more than {s_patience.TotalSeconds} s", ""));
                break;
            }
        }

        return _report;
    }

    private void Run(long first, int count, TimeSpan budget)
    {
        using var folder = new TemporaryDirectory();
        for (long number = first; number < first + count && _report.Elapsed < budget; number++)
        {
            Volatile.Write(ref _number, number);
            Before?.Invoke(number);
            string own = folder.File("case");
            Directory.CreateDirectory(own);
            try
            {
                Seed files = FuzzCase.Make(target, number);
                _report.Add(number, FuzzCase.Run(target, files, own));
            }
            finally
            {
                Directory.Delete(own, recursive: true);
            }

            Volatile.Write(ref _done, _done + 1);
        }
    }
}
