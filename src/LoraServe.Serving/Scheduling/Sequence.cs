using LoraServe.Models.Forward;
using LoraServe.Serving.Cache;

namespace LoraServe.Serving.Scheduling;

/// <summary>Tokens on their way through the cache. Owned by the loop's thread.</summary>
/// <remarks>A sequence has known tokens and cached tokens; each step computes some of the difference. There are no phases.</remarks>
internal abstract class Sequence
{
    private readonly int[] _tokens;

    /// <param name="owner">The request that it belongs to.</param>
    /// <param name="tokens">Memory for all tokens that it can have, behind the adapters' virtual rows; the first <paramref name="count"/> are known.</param>
    /// <param name="count">Known tokens, virtual rows included.</param>
    /// <param name="promptLength">Tokens of the prompt, virtual rows included.</param>
    protected Sequence(Submission owner, int[] tokens, int count, int promptLength)
    {
        Owner = owner;
        _tokens = tokens;
        TokenCount = count;
        PromptLength = promptLength;
        TurnedLength = promptLength;
        int most = KvPage.Count(tokens.Length);
        Passes = owner.ScoutSalts is { } scouts ? [new PassPages(owner.Salts, most), new PassPages(scouts, most)] : [new PassPages(owner.Salts, most)];
    }

    /// <summary>The request that it belongs to.</summary>
    public Submission Owner { get; }

    /// <summary>Place in the order of arrival.</summary>
    public long Order { get; set; }

    /// <summary>Known tokens.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, TokenCount);

    public int TokenCount { get; private set; }

    /// <summary>Tokens of the prompt, virtual rows included.</summary>
    public int PromptLength { get; }

    /// <summary>Length by which its cached keys are turned at least: that of its prompt, or more once it has grown beyond where a rope changes.</summary>
    public int TurnedLength { get; private set; }

    /// <summary>Rows that its adapters put ahead of the tokens that it was given: nothing is told of them.</summary>
    public int VirtualRows => Owner.Adapters.VirtualRows;

    /// <summary>Tokens whose keys and values are in the pages of all passes.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Known tokens whose keys and values are not in the cache yet; 1 while generating.</summary>
    public int PendingTokens => TokenCount - CachedTokens;

    /// <summary>Its pages of the key/value cache: those of the pass that answers, then those of the one before it where there is one. All hold the same tokens.</summary>
    public PassPages[] Passes { get; }

    /// <summary>Leading full pages that the prefix cache has seen.</summary>
    public int NotedPages { get; set; }

    /// <summary>Whether it takes part in steps.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Whether it has ended, well or not.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether it was begun before and lost its pages.</summary>
    public bool WasPreempted { get; set; }

    /// <summary>Sequences that it will be at most.</summary>
    public virtual int Places => 1;

    /// <summary>Leading tokens that may come from the prefix cache because nothing is wanted of their rows.</summary>
    public abstract int ReusableTokens { get; }

    /// <summary>What to compute next within a budget; no rows when nothing fits.</summary>
    public abstract Chunk NextChunk(int rows, int logitRows);

    /// <summary>Takes what a step computed; says whether nothing is left to do for it.</summary>
    public abstract bool Take(in StepResult result);

    /// <summary>Forgets what was computed, because the pages are given away.</summary>
    public virtual void Restart()
    {
        CachedTokens = 0;
        NotedPages = 0;
        foreach (PassPages pass in Passes)
        {
            pass.PrefixNode = PrefixCache.Root;
        }
    }

    /// <summary>Forgets what was computed, because keys are turned by its length from now on.</summary>
    public void TurnAnew()
    {
        Restart();
        TurnedLength = TokenCount;
    }

    /// <summary>Adds a known token.</summary>
    protected void Append(int token) => _tokens[TokenCount++] = token;
}
