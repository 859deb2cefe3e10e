namespace LoraServe.Training.Options;

/// <summary>Gathers what is wrong with settings.</summary>
/// <param name="nameOf">What whoever gave the settings calls them.</param>
internal sealed class SettingsCheck(Func<string, string> nameOf)
{
    private readonly List<string> _errors = [];

    /// <summary>A number, where it is given, within bounds.</summary>
    public void InRange(string name, double? value, double least, double greatest) =>
        Expect(value is not { } given || (given >= least && given <= greatest), FormattableString.Invariant($"{nameOf(name)} is {value}; expected {least} to {greatest}."));

    /// <summary>A number, where it is given, above zero.</summary>
    public void Positive(string name, double? value) =>
        Expect(value is not { } given || (given > 0 && double.IsFinite(given)), FormattableString.Invariant($"{nameOf(name)} is {value}; expected more than 0."));

    /// <summary>Anything else.</summary>
    public void Expect(bool isRight, string error)
    {
        if (!isRight)
        {
            _errors.Add(error);
        }
    }

    /// <summary>Refuses what was wrong.</summary>
    /// <exception cref="TrainingOptionsException">Something was.</exception>
    public void ThrowIfWrong()
    {
        if (_errors.Count > 0)
        {
            throw new TrainingOptionsException(string.Join(' ', _errors));
        }
    }
}
