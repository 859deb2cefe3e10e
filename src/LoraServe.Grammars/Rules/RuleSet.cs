namespace LoraServe.Grammars.Rules;

/// <summary>Named rules that may refer to each other; the first is what a whole text must be.</summary>
/// <param name="what">What the rules are of, for errors: "JSON schema".</param>
/// <param name="mostDepth">How deep rules may be within rules while a text is written, at first.</param>
internal sealed class RuleSet(string what, int mostDepth)
{
    /// <summary>Most rules there may be.</summary>
    public const int MostRules = 20_000;

    private readonly List<(string Name, Expression? Body)> _rules = [];

    public string What { get; } = what;

    /// <summary>How deep rules may be within rules while a text is written, without what comes last in a rule.</summary>
    public int MostDepth { get; private set; } = mostDepth;

    public int Count => _rules.Count;

    /// <summary>Schemas that have been read into it.</summary>
    public int Schemas { get; set; }

    /// <summary>Rules may be no deeper than this either.</summary>
    public void LimitDepth(int most) => MostDepth = Math.Min(MostDepth, most);

    /// <summary>Makes place for a rule whose body comes later, so that it can refer to itself.</summary>
    public int Reserve(string name)
    {
        if (_rules.Count == MostRules)
        {
            throw new GrammarException($"{What}: more than {MostRules} rules come of it. Make it smaller.");
        }

        _rules.Add((name, null));
        return _rules.Count - 1;
    }

    public void Define(int rule, Expression body) => _rules[rule] = (_rules[rule].Name, body);

    public int Add(string name, Expression body)
    {
        int rule = Reserve(name);
        Define(rule, body);
        return rule;
    }

    public string Name(int rule) => _rules[rule].Name;

    public Expression? Body(int rule) => _rules[rule].Body;
}
