//! Who goes where: the assignment of agents to places with the least sum of costs.
//!
//! The Hungarian method with potentials and shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987).

/// The column of each row, so that Σ `cost[row][column]` is least and no column is taken twice. With more rows than
/// columns the rows that cost most to serve get none.
///
/// # Panics
/// When rows are of different lengths.
pub(crate) fn assign(cost: &[Vec<f64>]) -> Vec<Option<usize>> {
    let rows = cost.len();
    let columns = cost.first().map_or(0, Vec::len);
    assert!(
        cost.iter().all(|row| row.len() == columns),
        "one cost for each column"
    );
    // Columns that stand for "nobody" make room for every row.
    let width = columns.max(rows);
    let price = |row: usize, column: usize| cost[row].get(column).copied().unwrap_or(0.0);
    // Row 0 and column 0 are nobody's: they start the paths.
    let (mut row_potential, mut column_potential) = (vec![0.0; rows + 1], vec![0.0; width + 1]);
    let mut owner = vec![0; width + 1];
    for row in 1..=rows {
        let (mut slack, mut from) = (vec![f64::INFINITY; width + 1], vec![0; width + 1]);
        let mut visited = vec![false; width + 1];
        let mut column = 0;
        owner[0] = row;
        while owner[column] != 0 {
            visited[column] = true;
            let (current, mut least, mut next) = (owner[column], f64::INFINITY, 0);
            for other in (1..=width).filter(|&c| !visited[c]) {
                let reduced = price(current - 1, other - 1)
                    - row_potential[current]
                    - column_potential[other];
                if reduced < slack[other] {
                    (slack[other], from[other]) = (reduced, column);
                }
                if slack[other] < least {
                    (least, next) = (slack[other], other);
                }
            }
            for c in 0..=width {
                if visited[c] {
                    row_potential[owner[c]] += least;
                    column_potential[c] -= least;
                } else {
                    slack[c] -= least;
                }
            }
            column = next;
        }
        while column != 0 {
            owner[column] = owner[from[column]];
            column = from[column];
        }
    }
    let mut chosen = vec![None; rows];
    for (column, &row) in owner
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(c, _)| *c <= columns)
    {
        if row > 0 {
            chosen[row - 1] = Some(column - 1);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::rng::EnvRng;

    use super::assign;

    fn total(cost: &[Vec<f64>], chosen: &[Option<usize>]) -> f64 {
        chosen
            .iter()
            .enumerate()
            .filter_map(|(row, c)| c.map(|c| cost[row][c]))
            .sum()
    }

    /// The least sum over all ways to give the rows from `row` on a free column each.
    fn least(cost: &[Vec<f64>], row: usize, taken: u32) -> f64 {
        if row == cost.len() {
            return 0.0;
        }
        let free = (0..cost[row].len()).filter(|c| taken & (1 << c) == 0);
        free.map(|c| cost[row][c] + least(cost, row + 1, taken | 1 << c))
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_sum_is_the_least_of_all_assignments() {
        let mut rng = EnvRng::new(0, 0, 0, 9);
        for (rows, columns) in [(1, 1), (3, 3), (4, 6), (5, 5), (6, 6)] {
            for _ in 0..20 {
                let cost: Vec<Vec<f64>> = (0..rows)
                    .map(|_| (0..columns).map(|_| rng.uniform()).collect())
                    .collect();
                let chosen = assign(&cost);
                assert!((total(&cost, &chosen) - least(&cost, 0, 0)).abs() < 1e-12);
                let mut columns: Vec<_> = chosen.iter().flatten().collect();
                columns.sort_unstable();
                columns.dedup();
                assert_eq!(columns.len(), rows, "a column each");
            }
        }
    }

    #[test]
    fn rows_without_a_column_go_empty() {
        assert_eq!(assign(&[vec![2.0], vec![1.0]]), [None, Some(0)]);
        assert_eq!(assign(&[]), []);
        assert_eq!(assign(&[vec![], vec![]]), [None, None]);
    }
}
