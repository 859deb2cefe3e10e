using System.Runtime.InteropServices;

namespace LoraServe.Cli.Verbs;

/// <summary>Ctrl-C and SIGTERM: the first asks to stop, the second to stop now. A third does what the system does with it.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _hurry = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="stop">Asks to stop too.</param>
    public StopSignals(CancellationToken stop)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Take), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take)];
    }

    public CancellationToken Stop => _stop.Token;

    public CancellationToken Hurry => _hurry.Token;

    public void Dispose()
    {
        Array.ForEach(_registrations, registration => registration.Dispose());
        _hurry.Dispose();
        _stop.Dispose();
    }

    private void Take(PosixSignalContext signal)
    {
        signal.Cancel = !_hurry.IsCancellationRequested;
        CancellationTokenSource next = _stop.IsCancellationRequested ? _hurry : _stop;
        next.Cancel();
    }
}
