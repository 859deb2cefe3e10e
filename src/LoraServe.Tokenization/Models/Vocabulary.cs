namespace LoraServe.Tokenization.Models;

/// <summary>Tokens and their ids.</summary>
internal sealed class Vocabulary
{
    /// <summary>Stands for no token.</summary>
    public const int None = -1;

    private readonly string?[] _texts;

    /// <summary>Takes the tokens over; where two have the same id, the later one gives it its text.</summary>
    /// <exception cref="TokenizerFormatException">An id is negative or far beyond the number of tokens.</exception>
    public Vocabulary(Dictionary<string, int> ids)
    {
        Ids = ids;
        // Ids need not be without gaps, but one small file must not make a table of gigabytes.
        long limit = 4L * ids.Count + 65536;
        int largest = None;
        foreach ((string token, int id) in ids)
        {
            if (id < 0 || id >= limit)
            {
                throw new TokenizerFormatException(
                    $"token '{token}' has the id {id}; expected 0 to {limit - 1} for a vocabulary of {ids.Count} tokens");
            }

            largest = Math.Max(largest, id);
        }

        _texts = new string?[largest + 1];
        foreach ((string token, int id) in ids)
        {
            _texts[id] = token;
        }
    }

    public Dictionary<string, int> Ids { get; }

    /// <summary>One more than the largest id.</summary>
    public int Size => _texts.Length;

    public int IdOrNone(string token) => Ids.TryGetValue(token, out int id) ? id : None;

    public string? Text(int id) => (uint)id < (uint)_texts.Length ? _texts[id] : null;
}
