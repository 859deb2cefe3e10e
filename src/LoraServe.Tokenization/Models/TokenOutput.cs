namespace LoraServe.Tokenization.Models;

/// <summary>Collects the tokens of one encoding run; texts and offsets only where they are wanted.</summary>
internal sealed class TokenOutput(bool isDetailed)
{
    public List<int> Ids { get; } = [];

    /// <summary>Whether texts and offsets are collected.</summary>
    public bool IsDetailed => isDetailed;

    public List<string> Tokens { get; } = [];

    public List<(int Start, int End)> Offsets { get; } = [];

    public void Add(int id, string token, (int Start, int End) offsets)
    {
        Ids.Add(id);
        if (isDetailed)
        {
            Tokens.Add(token);
            Offsets.Add(offsets);
        }
    }
}
