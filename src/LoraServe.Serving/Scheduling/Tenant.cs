namespace LoraServe.Serving.Scheduling;

/// <summary>On whose account requests run, and what it has had so far.</summary>
internal sealed class Tenant(string name, double weight)
{
    public string Name { get; } = name;

    /// <summary>Its share relative to others'.</summary>
    public double Weight { get; } = weight;

    /// <summary>Tokens computed for it over its weight: who has least goes first.</summary>
    public double Served { get; set; }

    /// <summary>Its sequences that wait, in the order in which they should run.</summary>
    public List<Sequence> Waiting { get; } = [];

    /// <summary>How far the present scan of <see cref="Waiting"/> got.</summary>
    public int Cursor { get; set; }

    /// <summary>Its sequences that run.</summary>
    public int Running { get; set; }

    public void Charge(int tokens) => Served += tokens / Weight;
}
